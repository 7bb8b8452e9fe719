"""How each fault is shown in place of the real answer."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.fault import Fault

SECRET_UPSTREAM_TEXT: Final = "upstream-internals https://db.internal/secret?token=abc"  # noqa: S105 - it leads nowhere
"""In every faulty answer: what must never reach whoever asks a server that asks NeonPanel."""

Drop = Callable[[Scope], None]
"""Closes the connection that a request came by, once what was written to it is sent."""

_HUGE: Final = 6_000_000
_PAGE: Final = f"<!doctype html><html><body><h1>{{title}}</h1><pre>{SECRET_UPSTREAM_TEXT}</pre></body></html>"
_STATUSES: Final = {
    "bad-request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not-found": 404,
    "unprocessable": 422,
    "rate-limited": 429,
    "unavailable": 503,
}
_PAGES: Final = {"server-error": 500, "bad-gateway": 502, "gateway-timeout": 504, "not-json": 200}
_OAUTH_AREAS: Final = ("token", "introspect")


class Failing:
    """Shows faults.

    Args:
        app: what would answer without them.
        drop: how connections are closed.
    """

    def __init__(self, app: ASGIApp, drop: Drop) -> None:
        self.app = app
        self.drop = drop

    async def show(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request with a fault."""
        shown = {
            "slow": self._slow,
            "refused": self._refused,
            "truncated": self._truncated,
            "wrong-types": self._wrong_types,
        }
        if fault.name in shown:
            await shown[fault.name](fault, scope, receive, send)
        else:
            await _reply(fault)(scope, receive, send)

    async def _slow(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(_gone(receive))
        done, _ = await asyncio.wait({leaving}, timeout=float(fault.options["seconds"]))
        leaving.cancel()
        if not done:
            await JSONResponse({"message": SECRET_UPSTREAM_TEXT}, 504)(scope, receive, send)

    async def _refused(self, _fault: Fault, scope: Scope, receive: Receive, _send: Send) -> None:
        self.drop(scope)
        await _gone(receive)

    async def _truncated(self, _fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        status, answer = await self._answer_of(scope, receive)
        whole = json.dumps({"trace": SECRET_UPSTREAM_TEXT, "answer": answer}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(whole)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": whole[: len(whole) // 2], "more_body": True})
        self.drop(scope)
        await _gone(receive)

    async def _wrong_types(self, _fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        status, answer = await self._answer_of(scope, receive)
        await JSONResponse(_mistyped(answer), status)(scope, receive, send)

    async def _answer_of(self, scope: Scope, receive: Receive) -> tuple[int, Any]:
        status, body = 200, bytearray()

        async def keep(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            body.extend(message.get("body", b""))

        await self.app(scope, receive, keep)
        try:
            return status, json.loads(body)
        except ValueError:
            return status, body.decode("utf-8", "replace")


def _reply(fault: Fault) -> Response:
    if fault.name in _PAGES:
        status = _PAGES[fault.name]
        return HTMLResponse(_PAGE.format(title="NeonPanel" if status < 400 else f"{status} Error"), status)  # noqa: PLR2004
    if fault.name == "huge":
        filling = "x" * 1000
        return JSONResponse({"message": SECRET_UPSTREAM_TEXT, "data": [filling] * (_HUGE // len(filling))})
    body: dict[str, Any] = {"message": SECRET_UPSTREAM_TEXT}
    if fault.area in _OAUTH_AREAS:
        body |= {"error": "invalid_request", "error_description": SECRET_UPSTREAM_TEXT}
    if fault.name == "unprocessable":
        body["errors"] = fault.options["errors"]
    wait = fault.options.get("retry_after")
    return JSONResponse(body, _STATUSES[fault.name], None if wait is None else {"Retry-After": str(wait)})


def _mistyped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _mistyped(member) for name, member in value.items()}
    if isinstance(value, list):
        return SECRET_UPSTREAM_TEXT
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"value": SECRET_UPSTREAM_TEXT} if is_number else value


async def _gone(receive: Callable[[], Awaitable[Message]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
