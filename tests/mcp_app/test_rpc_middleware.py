"""Tracing costs a call only where something takes the spans."""

import pytest
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider

from mcp_app.transport.rpc_middleware import traced_where_exported

pytestmark = pytest.mark.anyio


async def tracing(ctx, call_next):
    return {"traced": await call_next(ctx)}


async def handler(ctx):
    return ctx


@pytest.mark.parametrize(
    ("provider", "result"),
    [(ProxyTracerProvider(), "answer"), (NoOpTracerProvider(), {"traced": "answer"})],
)
async def test_a_call_is_traced_once_a_provider_is_set(provider, result):
    middleware = traced_where_exported(tracing, lambda: provider)
    assert await middleware("answer", handler) == result


async def test_a_provider_may_be_set_after_the_server_was_built():
    providers = [NoOpTracerProvider(), ProxyTracerProvider()]
    middleware = traced_where_exported(tracing, providers.pop)
    assert await middleware("answer", handler) == "answer"
    assert await middleware("answer", handler) == {"traced": "answer"}
