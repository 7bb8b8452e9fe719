"""The tool calls that are measured: one request, the same bytes for every variant, and the check of its answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from bench.http_client import Reply

PATH = "/mcp"
ERAS = ("2026-07-28", "2025-11-25")
"""One protocol version of each era: a call that describes itself, and one of the handshake era."""

_MESSAGE = "Hello, MCP!"


class WrongAnswerError(Exception):
    """A variant answered something else than what was asked for, so that its time means nothing."""


@dataclass(frozen=True)
class Call:
    """A `tools/call` request as HTTP headers and body."""

    headers: dict[str, str]
    body: bytes
    accepts: Callable[[dict[str, Any]], bool] = field(repr=False)

    def check(self, reply: Reply) -> None:
        """Pass a right answer. Raises WrongAnswerError for any other."""
        if reply.status != HTTPStatus.OK or not self.accepts(result(reply)):
            raise WrongAnswerError(f"HTTP {reply.status}: {reply.body[:500]!r}")


def tool_call(
    name: str,
    arguments: dict[str, Any],
    era: str,
    accepts: Callable[[dict[str, Any]], bool],
    meta: Mapping[str, Any] = {},
) -> Call:
    """Build a call of a tool.

    Args:
        name: the tool's name.
        arguments: its arguments.
        era: the protocol version.
        accepts: tells whether a `tools/call` result is right.
        meta: entries of the request's `_meta`, a progress token say.
    """
    params: dict[str, Any] = {"name": name, "arguments": arguments, "_meta": dict(meta)}
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": era,
    }
    if era == ERAS[0]:
        headers |= {"mcp-method": "tools/call", "mcp-name": name}
        params["_meta"] |= {
            "io.modelcontextprotocol/protocolVersion": era,
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return Call(headers, json.dumps(message).encode(), accepts)


def echo(era: str) -> Call:
    """The call of `echo` that all variants answer alike."""
    return tool_call("echo", {"message": _MESSAGE}, era, lambda found: text(found) == _MESSAGE)


def result(reply: Reply) -> dict[str, Any]:
    """The `result` of a JSON or SSE response, empty where there is none."""
    body = reply.body
    if reply.headers.get("content-type", "").startswith("text/event-stream"):
        body = next((line[5:] for line in reversed(body.splitlines()) if line.startswith(b"data:")), b"{}")
    try:
        found = json.loads(body).get("result")
    except (ValueError, AttributeError):
        return {}
    return found if isinstance(found, dict) and not found.get("isError") else {}


def text(found: dict[str, Any]) -> str:
    """The text of a result's content."""
    return "".join(part.get("text", "") for part in found.get("content", []))
