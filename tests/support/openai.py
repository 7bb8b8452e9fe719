"""A double of OpenAI's Responses API that answers web searches, as a real server."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.faults import Faults
from tests.support.gate import PATIENCE

PAGES = (
    {"title": "Specification", "url": "https://modelcontextprotocol.io/specification", "snippet": "The protocol."},
    {"title": "Python SDK", "url": "https://github.com/modelcontextprotocol/python-sdk", "snippet": "The SDK."},
    {"title": "Inspector", "url": "https://modelcontextprotocol.io/docs/tools/inspector", "snippet": "A test bench."},
)


def web_search_call(*urls: str) -> dict[str, Any]:
    """The output item of a search that consulted these pages."""
    sources = [{"type": "url", "url": url} for url in urls]
    action = {"type": "search", "query": "q", "queries": ["q"], "sources": sources}
    return {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": action}


def message(*content: dict[str, Any]) -> dict[str, Any]:
    """The output item of the model's answer."""
    return {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": list(content)}


def output_text(text: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    """Text in an answer."""
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def found(*pages: dict[str, str]) -> list[dict[str, Any]]:
    """The output of a search that found these pages."""
    return [web_search_call(*(page["url"] for page in pages)), message(output_text(json.dumps({"results": pages})))]


@dataclass
class OpenAIDouble:
    """What it answers, and what it was asked.

    Attributes:
        keys: API keys that it accepts.
        unsupported: request fields that it refuses with a 400.
        delay: seconds that a search takes.
        proceed: what a search waits for, if anything; a search for which it never comes is broken off.
        final: the last event of the stream; `response.completed` with `output` unless set.
        streams: whether it heeds `stream`.
    """

    output: Any = field(default_factory=lambda: found(*PAGES))
    keys: set[str] = field(default_factory=lambda: {"sk-good"})
    unsupported: set[str] = field(default_factory=set)
    delay: float = 0.0
    proceed: threading.Event | None = None
    final: dict[str, Any] | None = None
    streams: bool = True
    faults: Faults = field(default_factory=Faults)
    requests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/responses", self._respond, methods=["POST"])])

    async def _respond(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        if fault := self.faults.next(request):
            return await fault(request)
        if request.headers["authorization"].removeprefix("Bearer ") not in self.keys:
            return _error(401, "invalid_api_key", "Incorrect API key provided: sk-***.")
        for name in sorted(self.unsupported & body.keys()):
            return _error(400, "unsupported_parameter", f"Unsupported parameter: {name}", f"{name}.something")
        if not (self.streams and body.get("stream")):
            return JSONResponse({"object": "response", "status": "completed", "error": None, "output": self.output})
        return StreamingResponse(self._stream(), media_type="text/event-stream; charset=utf-8")

    async def _stream(self) -> AsyncIterator[str]:
        for number, event in enumerate(self._events()):
            if event["type"] == "response.web_search_call.completed":
                await self._search()
            yield f"event: {event['type']}\ndata: {json.dumps(event | {'sequence_number': number})}\n\n"

    async def _search(self) -> None:
        await asyncio.sleep(self.delay)
        if self.proceed is not None and not await asyncio.to_thread(self.proceed.wait, PATIENCE):
            raise ConnectionResetError("dropped: nothing let the search proceed")

    def _events(self) -> list[dict[str, Any]]:
        names = ("response.created", "response.in_progress", "response.output_item.added")
        search = ("in_progress", "searching", "completed")
        deltas = ("response.output_text.delta",) * 3
        return [
            *({"type": name} for name in names),
            *({"type": f"response.web_search_call.{step}", "item_id": "ws_1", "output_index": 0} for step in search),
            *({"type": name, "delta": "x"} for name in deltas),
            self.final or {"type": "response.completed", "response": {"status": "completed", "output": self.output}},
        ]


def _error(status: int, code: str, text: str, param: str | None = None) -> JSONResponse:
    error = {"message": text, "type": "invalid_request_error", "param": param, "code": code}
    return JSONResponse({"error": error}, status)
