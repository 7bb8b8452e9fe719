"""The client of the Lambda Runtime API.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and, for streamed responses,
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html (response streaming).
"""

import asyncio
import binascii
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from . import http1
from .connection import Connection
from .context import Invocation
from .errors import ResponseClosedError, RuntimeApiError
from .failure import Failure

_RUNTIME = "/2018-06-01/runtime"
_EXTENSION = "/2020-01-01/extension"
STREAM_CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"

BROKEN = 0
"""In place of a status: the connection ended without one."""

# Bytes of chunks that leave together.
_SEGMENT = 32 * 1024
# Pauses, in seconds, before each new attempt at a connection that was refused or dropped.
_PAUSES = (0.0, 0.02, 0.1, 0.5)
# A poll that was held longer than this (seconds) before it broke was a working one.
_HELD = 1.0


class RuntimeApi:
    """The Runtime API at one address (`AWS_LAMBDA_RUNTIME_API`)."""

    def __init__(self, address: http1.Address, now: Callable[[], float] = time.time) -> None:
        self.address = address
        self._now = now

    def poller(self) -> "Poller":
        """A connection to fetch invocations with; each worker has its own."""
        return Poller(self.address, self._now)

    async def stream(self, invocation: Invocation) -> "ResponseStream":
        """Begin a streamed response to an invocation, on a fresh connection.

        Raises:
            OSError: The connection could not be opened.
        """
        return await ResponseStream.open(self.address, invocation)

    async def respond(self, invocation: Invocation, payload: bytes) -> int:
        """Answer an invocation with one JSON document; return the service's status."""
        path = f"{_RUNTIME}/invocation/{invocation.request_id}/response"
        return await self._post(path, [("Content-Type", "application/json"), *_echo(invocation)], payload)

    async def fail(self, invocation: Invocation, failure: Failure) -> int:
        """Report that an invocation failed, which is legal only while its response has not begun; return the status."""
        path = f"{_RUNTIME}/invocation/{invocation.request_id}/error"
        return await self._post_failure(path, failure, failure.qualified_type(), _echo(invocation))

    async def fail_init(self, failure: Failure, error_type: str) -> int:
        """Report that initialization failed. `error_type` is `Runtime.` and a reason. Return the service's status."""
        return await self._post_failure(f"{_RUNTIME}/init/error", failure, error_type)

    async def restore_next(self) -> None:
        """Say that the snapshot may be taken; return when this sandbox was restored from it.

        Raises:
            RuntimeApiError: The service refused.
        """
        reply = await http1.KeptAlive(self.address).get(f"{_RUNTIME}/restore/next")
        if reply.status != 200:  # noqa: PLR2004 - the one status that means success here
            raise RuntimeApiError(f"/restore/next answered {reply.status}.")

    async def fail_restore(self, failure: Failure) -> int:
        """Report that an after-restore hook failed. Return the service's status."""
        return await self._post_failure(f"{_RUNTIME}/restore/error", failure, "Runtime.AfterRestoreError")

    async def register_extension(self, name: str) -> str | None:
        """Register an internal extension for no events; return its identifier, or None where there is no such API."""
        headers = [("Lambda-Extension-Name", name), ("Content-Type", "application/json")]
        try:
            reply = await http1.request(self.address, "POST", f"{_EXTENSION}/register", headers, b'{"events":[]}')
        except (OSError, EOFError, ValueError):
            return None
        return reply.headers.get("lambda-extension-identifier")

    async def hold_extension(self, identifier: str) -> None:
        """Keep one `/extension/event/next` open, again and again, for as long as the service takes it."""
        connection = http1.KeptAlive(self.address)
        headers = [("Lambda-Extension-Identifier", identifier)]
        for pause in _PAUSES:
            await asyncio.sleep(pause)
            try:
                await connection.get(f"{_EXTENSION}/event/next", headers)
            except (OSError, EOFError, ValueError):
                continue

    async def _post_failure(self, path: str, failure: Failure, error_type: str, extra: http1.Headers = ()) -> int:
        content_type = ("Content-Type", "application/vnd.aws.lambda.error+json")
        return await self._post(
            path, [content_type, ("Lambda-Runtime-Function-Error-Type", error_type), *extra], failure.body()
        )

    async def _post(self, path: str, headers: http1.Headers, body: bytes) -> int:
        try:
            return (await http1.request(self.address, "POST", path, headers, body)).status
        except (OSError, EOFError, ValueError):
            return BROKEN


def _echo(invocation: Invocation) -> list[tuple[str, str]]:
    if invocation.invocation_id is None:
        return []
    return [("Lambda-Runtime-Invocation-Id", invocation.invocation_id)]


class Poller:
    """Fetches one invocation after the other on one kept-alive connection."""

    def __init__(self, address: http1.Address, now: Callable[[], float]) -> None:
        self._connection = http1.KeptAlive(address)
        self._now = now

    async def next(self) -> Invocation:
        """Wait, however long, for the next invocation.

        Raises:
            RuntimeApiError: The service refused or is gone; the process must end.
        """
        while True:
            reply = await self._get()
            if reply.status == 200:  # noqa: PLR2004 - 200 is an invocation, 204 "none yet", all else a refusal
                return self._invocation(reply)
            if reply.status != 204:  # noqa: PLR2004
                raise RuntimeApiError(f"/invocation/next answered {reply.status}.")
            # A service that answers at once that there is nothing must not be asked in a busy loop.
            await asyncio.sleep(0.01)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    async def _get(self) -> http1.Reply:
        failures = 0
        while True:
            begun = self._now()
            try:
                return await self._connection.get(f"{_RUNTIME}/invocation/next")
            except (OSError, EOFError, ValueError) as error:
                failures = 0 if self._now() - begun > _HELD else failures + 1
                if failures > len(_PAUSES):
                    raise RuntimeApiError(f"/invocation/next cannot be reached: {error}") from error
                await asyncio.sleep(_PAUSES[failures - 1] if failures else 0)

    def _invocation(self, reply: http1.Reply) -> Invocation:
        try:
            return Invocation.from_reply(reply.headers, reply.body, int(self._now() * 1000))
        except (KeyError, ValueError) as error:
            raise RuntimeApiError(f"/invocation/next sent no usable invocation: {error!r}.") from error


class ResponseStream:
    """A streamed response on its way: chunks, then trailers.

    `ended` says that the last chunk is on its way, too.
    """

    def __init__(self, connection: Connection, head: bytes) -> None:
        self.ended = False
        self._connection = connection
        self._head = head
        self._reply = http1.ReplyHead()

    @classmethod
    async def open(cls, address: http1.Address, invocation: Invocation) -> "ResponseStream":
        """Connect; the request's header section leaves with the first chunk.

        Raises:
            OSError: The connection could not be opened.
        """
        connection = await Connection.open(address.host, address.port)
        path = f"{_RUNTIME}/invocation/{invocation.request_id}/response"
        headers = [*_STREAM_HEADERS, *_echo(invocation)]
        return cls(connection, http1.request_head(address, "POST", path, headers))

    @property
    def dropped(self) -> bool:
        """Whether the service closed the connection before anything was sent on it."""
        return self._early_status() == BROKEN

    async def write(self, pieces: Sequence[bytes], *, last: bool) -> None:
        """Send one chunk for each piece, the last ones or not, and wait until the service has taken enough of them.

        What is there at once leaves at once; what comes later leaves as a segment of its own, which keeps the service
        from merging it. No piece may be empty: an empty chunk ends the stream.

        Raises:
            ResponseClosedError: The service wants no more.
        """
        waiting, self._head = self._head, b""
        for piece in pieces:
            waiting += b"%x\r\n%b\r\n" % (len(piece), piece)
            if len(waiting) >= _SEGMENT:
                await self._send(waiting)
                waiting = b""
        self.ended = last
        await self._send(waiting + (_END if last else b""))

    async def end(self, failure: Failure | None = None) -> None:
        """Send the last chunk and, for a failure, the trailers that tell the service about it.

        Raises:
            ResponseClosedError: The service wants no more.
        """
        self.ended = True
        await self._send(b"0\r\n" + _trailers(failure) + b"\r\n")

    async def verdict(self) -> int:
        """Wait for the service's status; `BROKEN` where the connection ended without one."""
        # A service that refuses may read no further, and its status is still there to be read.
        with suppress(OSError):
            await self._connection.send()
        try:
            while self._reply.status is None:
                self._reply.feed(await self._connection.receive())
        except (OSError, EOFError, ValueError):
            return BROKEN
        return self._reply.status

    def close(self) -> None:
        """Give the connection up, whatever is still unsent."""
        self._connection.close()

    async def _send(self, data: bytes) -> None:
        # A success that comes early, as from cargo-lambda, is no refusal.
        status = self._early_status()
        if status is not None and not accepted(status):
            raise ResponseClosedError(f"The service ended the response with status {status}.")
        try:
            await self._connection.send(data)
        except OSError as error:
            raise ResponseClosedError("The service closed the connection.") from error

    def _early_status(self) -> int | None:
        try:
            while self._reply.status is None and (data := self._connection.received()) is not None:
                self._reply.feed(data)
        except (OSError, EOFError, ValueError):
            return BROKEN
        return self._reply.status


_END = b"0\r\n\r\n"
_STREAM_HEADERS = (
    ("Lambda-Runtime-Function-Response-Mode", "streaming"),
    ("Content-Type", STREAM_CONTENT_TYPE),
    ("Transfer-Encoding", "chunked"),
    ("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"),
    ("Connection", "close"),
)


def _trailers(failure: Failure | None) -> bytes:
    if failure is None:
        return b""
    body = binascii.b2a_base64(failure.body(), newline=False)
    error_type = failure.qualified_type().encode()
    return b"Lambda-Runtime-Function-Error-Type: %b\r\nLambda-Runtime-Function-Error-Body: %b\r\n" % (error_type, body)


def accepted(status: int) -> bool:
    """Whether a status means success; Lambda's own is 202, emulators have others."""
    return 200 <= status < 300  # noqa: PLR2004 - RFC 9110, section 15
