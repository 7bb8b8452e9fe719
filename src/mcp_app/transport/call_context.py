"""What a tool is told about the call it serves, taken from the SDK's context and the ASGI scope."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from mcp.server.connection import allowed_log_levels
from mcp.server.context import ServerRequestContext
from mcp_types import CLIENT_CAPABILITIES_META_KEY, LoggingMessageNotification, LoggingMessageNotificationParams

from auth.principal import VISITOR
from mcp_app.protocol import HANDSHAKE_VERSIONS
from mcp_app.tools.context import Deadline, Log, LogLevel, RequestInfo, ToolContext, no_log
from mcp_app.transport.negotiation import RECEIVED_HEADERS

if TYPE_CHECKING:
    from mcp_app.clients import Clients

Context = ServerRequestContext[Any, Any]

PLATFORM_MARGIN_SECONDS: Final = 1.0
"""How long before Lambda ends an invocation a tool must have answered, so that the answer still goes out."""

_PROTOCOL_PREFIX = "io.modelcontextprotocol/"


class CallContexts:
    """Makes a `ToolContext` for each call.

    Args:
        timeout: seconds that a call may take, where the platform does not allow less.
        clients: outbound services.
        epoch: seconds since 1970, to compare with the platform's own deadline.
    """

    def __init__(self, timeout: float, clients: "Clients", epoch: Callable[[], float] = time.time) -> None:
        self._timeout = timeout
        self._clients = clients
        self._epoch = epoch

    def of(self, context: Context) -> ToolContext:
        """The context of one call."""
        scope = scope_of(context)
        params = context.params or {}
        return ToolContext(
            deadline=Deadline.after(min(self._timeout, self._allowed(scope))),
            clients=self._clients,
            principal=scope.get("principal", VISITOR),
            request=request_info(scope),
            progress=context.session.report_progress,
            log=_log(context),
            capabilities=declared_capabilities(context),
            answers=params.get("inputResponses") or {},
            state=params.get("requestState"),
            extra=_extra(_meta(context)),
        )

    def _allowed(self, scope: Mapping[str, Any]) -> float:
        """Seconds until the platform's deadline, less the margin; infinite where it has none."""
        lambda_ = (scope.get("extensions") or {}).get("aws.lambda") or {}
        deadline_ms = lambda_.get("deadline_ms")
        if deadline_ms is None:
            return float("inf")
        return max(0.0, float(deadline_ms) / 1000 - self._epoch() - PLATFORM_MARGIN_SECONDS)


def scope_of(context: Context) -> Mapping[str, Any]:
    """The ASGI scope of the HTTP request that a message came in by."""
    scope: Mapping[str, Any] = context.request.scope if context.request is not None else {}
    return scope


def request_info(scope: Mapping[str, Any]) -> RequestInfo:
    """The HTTP request of an ASGI scope, its headers as they were received."""
    headers = scope.get(RECEIVED_HEADERS, scope["headers"])
    client = scope.get("client")
    return RequestInfo(
        method=scope["method"],
        path=scope["path"],
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
        client=client[0] if client else None,
        http_version=scope.get("http_version", "1.1"),
        scheme=scope.get("scheme", "http"),
    )


def declared_capabilities(context: Context) -> Mapping[str, Any]:
    """The client capabilities that a 2026-07-28 request declares; without a session, none are known of any other."""
    capabilities = _meta(context).get(CLIENT_CAPABILITIES_META_KEY)
    return capabilities if isinstance(capabilities, Mapping) else {}


def _meta(context: Context) -> Mapping[str, Any]:
    meta = (context.params or {}).get("_meta")
    return meta if isinstance(meta, Mapping) else {}


def _extra(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        name: value for name, value in meta.items() if name != "progressToken" and not name.startswith(_PROTOCOL_PREFIX)
    }


def _log(context: Context) -> Log:
    """What sends log messages to the client that asked for them.

    A 2026-07-28 request names its level itself. In the handshake era the level is set by a request of its own, which
    nothing remembers where there are no sessions; "info" and above are sent, as a server may until a level is set.
    """
    levels = allowed_log_levels(context.protocol_version, context.meta)
    if context.protocol_version in HANDSHAKE_VERSIONS:
        levels -= {"debug"}
    if not levels:
        return no_log

    async def log(level: LogLevel, data: Any) -> None:
        if level in levels:
            params = LoggingMessageNotificationParams(level=level, data=data)
            notification = LoggingMessageNotification(params=params)
            await context.session.send_notification(notification, related_request_id=context.request_id)

    return log
