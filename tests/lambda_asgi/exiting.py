"""An app that calls for the end of its process while it serves a request; `/small` is answered."""

import asyncio
import sys


async def app(scope, receive, send):
    path = scope.get("path", "")
    if path == "/exit-at-once":
        sys.exit(3)
    if path == "/exit-later":
        await asyncio.sleep(0)
        raise KeyboardInterrupt
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if path == "/exit-midway":
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        sys.exit(0)
    await send({"type": "http.response.body", "body": b"ok"})
