"""MCP messages as a client of either era puts them on the wire, and what comes back."""

import json
from typing import Any

import httpx2

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
ERAS = (MODERN, LEGACY)
BOTH_FORMS = "application/json, text/event-stream"

PREFIX = "io.modelcontextprotocol/"
VERSION_KEY = f"{PREFIX}protocolVersion"
CAPABILITIES_KEY = f"{PREFIX}clientCapabilities"
LOG_LEVEL_KEY = f"{PREFIX}logLevel"


def message(method: str, params: dict[str, Any] | None = None, *, era: str = MODERN, **meta: Any) -> dict[str, Any]:
    """One request with the id 7, its `_meta` as the era demands and as given."""
    params = dict(params or {})
    if era == MODERN:
        meta = {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}, **meta}
    if meta:
        params["_meta"] = meta
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


def headers(body: dict[str, Any], *, era: str = MODERN, **changed: str | None) -> dict[str, str]:
    """The headers that go with a request; `changed` replaces some (underscores for dashes), None leaves one out."""
    made: dict[str, str | None] = {"accept": BOTH_FORMS, "content-type": "application/json"}
    made["mcp-protocol-version"] = era
    if era == MODERN:
        made["mcp-method"] = body["method"]
        made["mcp-name"] = body["params"].get("name") or body["params"].get("uri")
    made |= {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in made.items() if value is not None}


def post(
    client: httpx2.Client, method: str, params: dict[str, Any] | None = None, *, era: str = MODERN, **meta: Any
) -> httpx2.Response:
    """Send one well-formed request."""
    body = message(method, params, era=era, **meta)
    return client.post("/mcp", json=body, headers=headers(body, era=era))


def call(client: httpx2.Client, tool: str, arguments: Any = None, *, era: str = MODERN, **meta: Any) -> httpx2.Response:
    """Call a tool."""
    return post(client, "tools/call", {"name": tool, "arguments": arguments or {}}, era=era, **meta)


def events(response: httpx2.Response) -> list[dict[str, Any]]:
    """The JSON-RPC messages of an event stream, in order."""
    assert response.headers["content-type"].startswith("text/event-stream")
    data = [line.removeprefix("data:") for line in response.text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in data if line.strip()]


def error(response: httpx2.Response) -> tuple[int, int, Any]:
    """The HTTP status, the JSON-RPC code and the echoed id of a refusal."""
    document = response.json()
    return response.status_code, document["error"]["code"], document["id"]
