"""Messages put straight to the transport, with nothing imported that a cold start would not import."""

import asyncio
import json
import os
from typing import Any

from auth.principal import ANONYMOUS
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry
from mcp_app.tools.utility.echo import echo
from mcp_app.transport.streamable_http import StreamableHTTP

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
ECHO = {"name": "echo", "arguments": {"message": "hi"}}


class NoSecrets:
    async def get(self, name: str, *, refresh: bool = False) -> str | None:
        return None


def server() -> StreamableHTTP:
    """A server of one tool; the SDK is imported leanly where the variable LEAN is set."""
    settings = Settings(auth_mode="noauth", lean_import=bool(os.environ.get("LEAN")))
    return StreamableHTTP(Registry([echo]), settings, None, NoSecrets())  # type: ignore[arg-type]


async def answer(mcp: StreamableHTTP, method: str, params: dict[str, Any], era: str) -> Any:
    """The JSON that one POST is answered with."""
    meta = {"_meta": META} if era == MODERN else {}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, **meta}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"mcp-protocol-version", era.encode()),
        (b"mcp-method", method.encode()),
        (b"mcp-name", str(params.get("name", "")).encode()),
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/mcp",
        "headers": headers,
        "query_string": b"",
        "principal": ANONYMOUS,
    }
    received = iter([{"type": "http.request", "body": body}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(received, None) or await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await mcp(scope, receive, send)
    return json.loads(b"".join(message.get("body", b"") for message in sent))


def answers(*asked: tuple[str, dict[str, Any], str]) -> list[Any]:
    """The answers of one server to several messages."""

    async def ask() -> list[Any]:
        mcp = server()
        async with mcp.run():
            return [await answer(mcp, *message) for message in asked]

    return asyncio.run(ask())
