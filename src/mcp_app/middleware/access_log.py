"""One log line for each request: who asked for what, and how it went; never a query string, a header or a body."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9_./-]{1,64}")


class AccessLogMiddleware:
    """Logs each request when its reply is done.

    Method, path, status, duration in ms, body bytes, then principal and tool, or why nobody was let in.

    Args:
        app: what to log.
        clock: monotonic seconds.
    """

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.perf_counter) -> None:
        self.app = app
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, then log it, also when it failed or was cancelled."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, reply = self.clock(), _Reply(send)
        try:
            await self.app(scope, receive, reply)
        finally:
            _log(scope, reply, (self.clock() - began) * 1000)


class _Reply:
    """Sends messages on at once, and remembers what the log line needs of them."""

    def __init__(self, send: Send) -> None:
        self.status: int | None = None
        self.size = 0
        self.complete = False
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)
        if message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)


def _log(scope: Scope, reply: _Reply, duration_ms: float) -> None:
    line: dict[str, Any] = {
        "method": scope["method"],
        "path": scope["path"],
        "status": reply.status,
        "duration_ms": round(duration_ms, 2),
        "bytes": reply.size,
        "complete": reply.complete,
    }
    if (principal := scope.get("principal")) is not None:
        line["principal"] = principal.subject
    if (why := scope.get("refused")) is not None:
        line["refused"] = why
    # The transport notes what was called; the names are the client's, so only what can be a name is logged.
    called = scope.get("rpc", {})
    line |= {f"rpc_{key}": name for key, name in called.items() if name and _NAME.fullmatch(name)}
    logger.info("%s %s %s", scope["method"], scope["path"], reply.status, extra=line)
