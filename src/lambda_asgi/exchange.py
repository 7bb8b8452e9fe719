"""One request and its response, as the app sees them: `receive` and `send`, on top of a way out."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from .asgi import Message
from .errors import ResponseClosedError
from .failure import Failure
from .response import Response


class Outlet(Protocol):
    """Where a response's pieces go."""

    @property
    def began(self) -> bool:
        """Whether anything went out, which cannot be taken back."""

    async def prepare(self) -> None:
        """Do ahead what does not depend on the response."""

    async def write(self, pieces: Sequence[bytes], *, last: bool) -> None:
        """Send pieces, none of them empty, perhaps the last ones, and wait while the other side is slow.

        Raises:
            ResponseClosedError: Nothing more can be sent.
        """

    async def finish(self, failure: Failure | None, patience: float) -> None:
        """End the response, with a failure where there was one, and wait for the service at most `patience` seconds."""


class Exchange:
    """What an app gets to receive and to send for one request.

    `began` says that something went out, which cannot be taken back; `complete` that all of the response did;
    `closed` that nothing more is taken, from the app or by the service.
    `receive` gives the body once, then waits until the response is complete or `disconnect` was called, and says
    `http.disconnect`. `send` hands pieces to the outlet, one message after the other, in the order of the calls.
    """

    def __init__(self, body: bytes, respond: Callable[[], Response], outlet: Outlet) -> None:
        self.complete = False
        self._body: bytes | None = body
        self._respond = respond
        self._response = respond()
        self._outlet = outlet
        self._over = asyncio.Event()
        self._turn = asyncio.Lock()
        self.closed = False

    @property
    def began(self) -> bool:
        """Whether something went out, which cannot be taken back."""
        return self._outlet.began

    async def receive(self) -> Message:
        """ASGI's receive."""
        if self._body is not None and not self._over.is_set():
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """ASGI's send; returns when the service has taken enough of it.

        Raises:
            ResponseClosedError: The response is over.
            InvalidResponseError: The message cannot go out; nothing of it did.
        """
        async with self._turn:
            if self.closed:
                raise ResponseClosedError("The response was ended before the app was done with it.")
            await self._feed(message)

    async def _feed(self, message: Message) -> None:
        try:
            pieces, last = self._response.feed(message), self._response.complete
            if pieces or last:
                await self._outlet.write(pieces, last=last)
        except ResponseClosedError:
            self.close()
            raise
        if self._response.complete:
            self.complete = True
            self._over.set()

    def disconnect(self) -> None:
        """Tell the app, when it asks, that nobody listens any more. It may still send what ends its response well."""
        self._over.set()

    async def replace(self, status: int, text: str) -> None:
        """Answer in the app's stead; only while nothing began.

        Raises:
            ResponseClosedError: The service takes no response.
        """
        self.close()
        self._response = self._respond()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
        await self._feed({"type": "http.response.start", "status": status, "headers": headers})
        await self._feed({"type": "http.response.body", "body": text.encode()})

    def close(self) -> None:
        """Take nothing more from the app."""
        self.closed = True
        self._over.set()
