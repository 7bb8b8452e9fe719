"""The scopes of our own authorization server, and what they say to the person who is asked for them."""

from collections.abc import Collection
from typing import Final

READ: Final = "mcp.read"
TOOLS: Final = "mcp.tools"

SCOPES: Final = {
    READ: "See which tools there are, and use those that only read",
    TOOLS: "Use every tool, also those that change data",
}
"""Each scope and its sentence on the consent page, in the order in which they are shown."""

DEFAULT_SCOPES: Final = (READ, TOOLS)
"""What a client is asked about that names no scope."""


def allows(granted: Collection[str] | None, needed: Collection[str]) -> bool:
    """Whether what was granted covers what is needed; `mcp.tools` covers `mcp.read`, None covers everything."""
    if granted is None:
        return True
    return all(scope in granted or (scope == READ and TOOLS in granted) for scope in needed)
