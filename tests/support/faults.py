"""Faults that a double of an HTTP service can be told to show, one for each request to come."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

Fault = Callable[[Request], Awaitable[Response]]


@dataclass
class Faults:
    """The next requests' faults, in order; `always` shows one for ever, `path` only where the path holds it."""

    queue: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    path: str = ""

    def next(self, request: Request) -> Fault | None:
        if self.path not in request.url.path:
            return None
        return self.queue.popleft() if self.queue else self.always


def status(code: int, body: str | dict[str, object] = "", **headers: str) -> Fault:
    """Answer with a status; a text body is HTML, such as a proxy's error page."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def respond(request: Request) -> Response:
        if isinstance(body, str):
            return Response(body, code, named, media_type="text/html")
        return JSONResponse(body, code, named)

    return respond


def body(text: str | bytes, media_type: str = "application/json") -> Fault:
    """Answer 200 with this body."""

    async def respond(request: Request) -> Response:
        return Response(text, media_type=media_type)

    return respond


def slow(seconds: float) -> Fault:
    """Answer only after that long, or never once the client has left."""

    async def respond(request: Request) -> Response:
        await asyncio.sleep(seconds)
        return Response("late", 503)

    return respond


def broken_off(start: bytes, media_type: str = "application/json") -> Fault:
    """Begin a chunked answer and drop the connection."""

    async def chunks() -> AsyncIterator[bytes]:
        yield start
        raise ConnectionResetError("dropped on purpose")

    async def respond(request: Request) -> Response:
        return StreamingResponse(chunks(), media_type=media_type)

    return respond
