"""An ASGI app that streams."""

from starlette.types import Receive, Scope, Send

from bench.stream_apps import moments


async def app(scope: Scope, _receive: Receive, send: Send) -> None:
    """Send one chunk per event."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    async for moment in moments():
        await send({"type": "http.response.body", "body": moment.encode(), "more_body": True})
    await send({"type": "http.response.body"})
