"""Which messages a caller may send: everybody who is let in may begin, the rest is a matter of scopes."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from auth.principal import VISITOR, Principal
from auth.scopes import READ, allows
from mcp_app.tools.access import missing, needed_scopes

if TYPE_CHECKING:
    from mcp_app.tools.tool import Tool
    from mcp_app.transport.envelope import Envelope

_NOTIFICATIONS: Final = "notifications/"
_BEGINNINGS: Final = frozenset(("initialize", "ping", "server/discover"))
_LISTS: Final = frozenset(("tools/list", "prompts/list", "resources/list", "resources/templates/list"))


class Denial(NamedTuple):
    """A message that its sender may not send.

    Attributes:
        status: 401 where signing in helps, 403 where a wider grant does.
        error: the `error` member of the reply; None where no token was sent.
        description: one sentence for whoever runs the client.
        scopes: all that the message needs.
    """

    status: int
    error: str | None
    description: str
    scopes: frozenset[str]


def denial(envelope: "Envelope", principal: Principal, tool: "Tool[Any] | None") -> Denial | None:
    """Why a message is refused; None where it is not.

    Args:
        envelope: the message.
        principal: who sends it.
        tool: what a `tools/call` names, where there is such a tool.
    """
    if principal.scopes is None or _begins(envelope.method):
        return None
    if principal is VISITOR:
        return None if envelope.method in _LISTS else _sign_in(tool)
    needed = _needed(tool)
    if allows(principal.scopes, needed):
        return None
    return Denial(403, "insufficient_scope", missing("This" if tool is None else tool.title, needed), needed)


def _begins(method: str | None) -> bool:
    return method is not None and (method in _BEGINNINGS or method.startswith(_NOTIFICATIONS))


def _sign_in(tool: "Tool[Any] | None") -> Denial:
    return Denial(401, None, "Sign in to use this server's tools.", _needed(tool))


def _needed(tool: "Tool[Any] | None") -> frozenset[str]:
    return frozenset({READ}) if tool is None else needed_scopes(tool)
