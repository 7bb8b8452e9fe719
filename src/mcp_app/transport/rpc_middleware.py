"""Middleware of the SDK's server: what a message passes on its way to a handler and back."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS
from opentelemetry.trace import ProxyTracerProvider, TracerProvider, get_tracer_provider
from pydantic import ValidationError

from mcp_app.json_text import decoded
from mcp_app.transport.call_context import Context

logger = logging.getLogger(__name__)

USER_TOKEN = "useUserToken"  # noqa: S105 (the name of a parameter)


async def contain_errors(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Let nothing but `MCPError` out: the SDK would show any other exception's text to a handshake-era caller.

    Raises:
        MCPError: the handler's own, -32602 for parameters that the schema refuses, -32603 for anything else.
    """
    try:
        return await call_next(ctx)
    except MCPError:
        raise
    except ValidationError as error:
        raise MCPError(code=INVALID_PARAMS, message=_explain(error)) from None
    except Exception:
        logger.exception("%s failed (request id %s)", ctx.method, ctx.request_id)
        raise MCPError(code=INTERNAL_ERROR, message="Internal error. It has been logged.") from None


def traced_where_exported(
    tracing: ServerMiddleware[Any], provider: Callable[[], TracerProvider] = get_tracer_provider
) -> ServerMiddleware[Any]:
    """The SDK's tracing where something takes the spans; until a tracer provider is set they go nowhere."""

    async def middleware(ctx: Context, call_next: CallNext) -> HandlerResult:
        if isinstance(provider(), ProxyTracerProvider):
            return await call_next(ctx)
        return await tracing(ctx, call_next)

    return middleware


async def take_loose_arguments(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Bring what clients are known to send for `tools/call` into the shape that the schema takes.

    Arguments in a JSON string are decoded; anything else that is not an object is wrapped in one, which the registry
    unwraps and judges. A `useUserToken` beside the arguments moves into `_meta`.
    """
    params = ctx.params
    if ctx.method != "tools/call" or params is None:
        return await call_next(ctx)
    shaped = _shaped(params)
    return await call_next(ctx if shaped is params else replace(ctx, params=shaped))


def _shaped(params: Mapping[str, Any]) -> Mapping[str, Any]:
    arguments = params.get("arguments")
    if arguments is not None and not isinstance(arguments, Mapping):
        params = {**params, "arguments": _as_object(arguments)}
    meta = params.get("_meta") or {}
    if USER_TOKEN in params and isinstance(meta, Mapping):
        meta = {**meta, USER_TOKEN: params[USER_TOKEN]}
        params = {**{name: value for name, value in params.items() if name != USER_TOKEN}, "_meta": meta}
    return params


def _as_object(arguments: Any) -> Mapping[str, Any]:
    try:
        value = decoded(arguments)
    except (TypeError, ValueError):
        value = None
    return value if isinstance(value, Mapping) else {"arguments": arguments}


def _explain(error: ValidationError) -> str:
    """A short sentence per field, without the validator's own names, links and copies of the input."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    paths = [".".join(str(part) for part in item["loc"]) or "params" for item in found]
    sentences = {f"{path}: {item['msg']}." for path, item in zip(paths, found, strict=True)}
    return "Invalid parameters. " + " ".join(sorted(sentences)[:5])
