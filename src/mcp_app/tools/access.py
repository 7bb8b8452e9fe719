"""What a caller must have been granted to call a tool; the same through every door."""

from collections.abc import Collection
from typing import Any

from auth.principal import Principal
from auth.scopes import READ, TOOLS, allows
from mcp_app.tools.outcome import Outcome, Status
from mcp_app.tools.tool import Tool


def needed_scopes(tool: Tool[Any]) -> frozenset[str]:
    """The scopes that a call needs of callers who have scopes: the tool's own, else what its annotations call for."""
    return tool.scopes or frozenset({READ if tool.annotations.read_only else TOOLS})


def refused(tool: Tool[Any], principal: Principal) -> Outcome | None:
    """How a call ends that its caller may not make; None where they may."""
    needed = needed_scopes(tool)
    if allows(principal.scopes, needed):
        return None
    return Outcome.refusal(Status.FORBIDDEN, missing(tool.title, needed), needed)


def missing(what: str, needed: Collection[str]) -> str:
    """One sentence for whoever called."""
    return f"{what} needs the permission {' and '.join(sorted(needed))}. Sign in to give it."
