"""The two ways out for a response: a stream that is opened when there is something to send, or one document."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from .context import Invocation
from .errors import ResponseClosedError
from .failure import Failure, Log
from .runtime_api import BROKEN, ResponseStream, RuntimeApi, accepted


class StreamOutlet:
    """Sends each piece at once, as a chunk of a streamed response on a connection of its own."""

    def __init__(self, api: RuntimeApi, invocation: Invocation, log: Log) -> None:
        self._api = api
        self._invocation = invocation
        self._log = log
        self._stream: ResponseStream | None = None
        self.began = False

    async def prepare(self) -> None:
        """Connect already, so that the service accepts while the app works. A failure shows at the first write."""
        with suppress(OSError):
            self._stream = await self._api.stream(self._invocation)

    async def write(self, pieces: Sequence[bytes], *, last: bool) -> None:
        """Send pieces, none of them empty, perhaps the last ones, and wait while the service is slow.

        Raises:
            ResponseClosedError: The service takes nothing more.
        """
        stream = self._stream = await self._usable()
        self.began = True
        await stream.write(pieces, last=last)

    async def _usable(self) -> ResponseStream:
        if self._stream is not None and not self.began and self._stream.dropped:
            self._stream.close()
            self._stream = None
        return self._stream or await self._open()

    async def _open(self) -> ResponseStream:
        try:
            return await self._api.stream(self._invocation)
        except OSError as error:
            raise ResponseClosedError("The Runtime API takes no response.") from error

    async def finish(self, failure: Failure | None, patience: float) -> None:
        """End the stream and wait for the service's status at most `patience` seconds."""
        stream = self._stream
        if stream is None:
            return
        if not self.began:
            stream.close()
            return
        status = BROKEN
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(patience, 0)):
                    status = await _ended(stream, failure)
        finally:
            stream.close()
        note_status(self._log, self._invocation, status)


async def _ended(stream: ResponseStream, failure: Failure | None) -> int:
    if not stream.ended:
        with suppress(ResponseClosedError):
            await stream.end(failure)
    return await stream.verdict()


class DocumentOutlet:
    """Sends the one piece that a buffered response is, as a document."""

    def __init__(self, api: RuntimeApi, invocation: Invocation, log: Log) -> None:
        self._api = api
        self._invocation = invocation
        self._log = log
        self.began = False

    async def prepare(self) -> None:
        """Nothing: a document leaves by a request of its own."""

    async def write(self, pieces: Sequence[bytes], *, last: bool) -> None:  # noqa: ARG002 - a document is the last
        """Send the document."""
        if pieces:
            self.began = True
            note_status(self._log, self._invocation, await self._api.respond(self._invocation, b"".join(pieces)))

    async def finish(self, failure: Failure | None, patience: float) -> None:
        """Nothing: the document was all."""


def note_status(log: Log, invocation: Invocation, status: int) -> None:
    """Log a status by which the service says that it did not take a response as it was."""
    if status == BROKEN:
        log.note("The service did not confirm the response.", invocation.request_id)
    elif not accepted(status):
        log.note(f"The service answered {status} to the response.", invocation.request_id)
