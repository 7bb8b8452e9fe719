"""The protocol's extensions, told to the handshake era too."""

from collections.abc import Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware

from mcp_app.transport.call_context import Context


def declared_at_handshake(extensions: Mapping[str, Mapping[str, Any]]) -> ServerMiddleware[Any]:
    """Put extensions into the capabilities that `initialize` is answered with.

    The schemas of the handshake era have no `capabilities.extensions`, so the SDK drops it there, but they leave
    capabilities open, and the extensions' own specifications expect it in either era (SEP-1724, SEP-1865).
    """

    async def middleware(ctx: Context, call_next: CallNext) -> HandlerResult:
        result = await call_next(ctx)
        if ctx.method != "initialize" or not isinstance(result, Mapping):
            return result
        return {**result, "capabilities": {**result["capabilities"], "extensions": dict(extensions)}}

    return middleware
