"""Every request's first stop: it is written down, and gets the fault that waits for it, if any."""

from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.failing import Drop, Failing
from sandbox.received import Received, area_of, is_control
from sandbox.sandbox import Sandbox


class Entrance:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox, drop: Drop) -> None:
        self.app = app
        self.sandbox = sandbox
        self.failing = Failing(app, drop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request, then answer it, or show a fault."""
        if is_control(scope["path"]):
            await self.app(scope, receive, send)
            return
        try:
            received = await _received(scope, receive)
        except ClientDisconnect:
            return
        self.sandbox.record(received)

        async def watched(message: Message) -> None:
            received.status = message.get("status", received.status)
            await send(message)

        await self._answer(received, scope, _again(received.body, receive), watched)

    async def _answer(self, received: Received, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self.sandbox.faults.take(received.area, received.path)
        if fault is None:
            await self.app(scope, receive, send)
        else:
            await self.failing.show(fault, scope, receive, send)


async def _received(scope: Scope, receive: Receive) -> Received:
    body = await Request(scope, receive).body()
    return Received(
        area=area_of(scope["path"]),
        method=scope["method"],
        path=scope["path"],
        query=parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, and then what else the connection tells."""
    given = False

    async def messages() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return messages
