"""What a tool is handed beside its arguments."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from auth.principal import ANONYMOUS, Principal
from mcp_app.deadline import Deadline
from mcp_app.rights import Rights

if TYPE_CHECKING:
    from mcp_app.clients import Clients

__all__ = ["Deadline", "Log", "LogLevel", "ReportProgress", "RequestInfo", "ToolContext", "no_log", "no_progress"]

LogLevel = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
ReportProgress = Callable[[float, float | None, str | None], Awaitable[None]]
Log = Callable[[LogLevel, Any], Awaitable[None]]


async def no_progress(progress: float, total: float | None = None, message: str | None = None) -> None:
    """Drop the report: the client did not ask for progress."""


async def no_log(level: LogLevel, data: Any) -> None:
    """Drop the message: the client did not ask for logging."""


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """The HTTP request that a call came in by, as a plain record.

    Attributes:
        headers: names as received (lower-case where the door lower-cases them) and values, in order, repeats kept.
        client: the peer's address as the door knows it, without its port; None where there is no connection.
        http_version: "1.1", say.
    """

    method: str = "POST"
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    client: str | None = None
    http_version: str = "1.1"
    scheme: str = "https"

    def header(self, name: str) -> str | None:
        """The first value of a header, by its case-insensitive name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Everything around one call of a tool.

    Attributes:
        deadline: when the call must have answered.
        clients: outbound services (OpenAI, weather), made at first use.
        principal: who is calling.
        request: the HTTP request, as a plain record.
        progress: reports progress (done, total, message) to a client that asked for it; else does nothing.
        log: sends a log message to a client that asked for it; else does nothing.
        capabilities: what the client says that it can be asked for (`elicitation`, `sampling`, `roots`).
        answers: what the client answered to an earlier `NeedsInput`, by key.
        state: the `state` of that `NeedsInput`, verified.
        extra: `_meta` entries of the call that are not the protocol's own (`useUserToken`, say).
        auth: whose rights calls to the tool's service have, as the tool or a setting says (`Tool.auth`).
    """

    deadline: Deadline
    clients: "Clients"
    principal: Principal = ANONYMOUS
    request: RequestInfo = RequestInfo()
    progress: ReportProgress = no_progress
    log: Log = no_log
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    state: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    auth: Rights | None = None
