"""The two ways out for a response: a stream that is opened when there is something to send, or one document."""

import asyncio

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
        self._ended = False

    async def write(self, piece: bytes, *, last: bool) -> None:
        """Send one piece, which is not empty and may be the last, and wait while the service is slow.

        Raises:
            ResponseClosedError: The service takes nothing more.
        """
        if self._stream is None:
            self._stream = await self._open()
        self._ended = self._ended or last
        await self._stream.write(piece, last=last)

    async def _open(self) -> ResponseStream:
        try:
            return await self._api.stream(self._invocation)
        except OSError as error:
            raise ResponseClosedError("The Runtime API takes no response.") from error

    def end(self, failure: Failure | None = None) -> None:
        """Say that nothing more comes, and what failed."""
        if self._stream is not None and not self._ended:
            self._ended = True
            self._stream.end(failure)

    async def finish(self, failure: Failure | None, patience: float) -> None:
        """End the stream and wait for the service's status at most `patience` seconds."""
        self.end(failure)
        if self._stream is None:
            return
        try:
            status = await asyncio.wait_for(self._stream.verdict(), patience)
        except TimeoutError:
            status = BROKEN
        finally:
            self._stream.close()
        note_status(self._log, self._invocation, status)


class DocumentOutlet:
    """Sends the one piece that a buffered response is, as a document."""

    def __init__(self, api: RuntimeApi, invocation: Invocation, log: Log) -> None:
        self._api = api
        self._invocation = invocation
        self._log = log

    async def write(self, piece: bytes, *, last: bool) -> None:  # noqa: ARG002 - a document is always the last
        """Send the document."""
        note_status(self._log, self._invocation, await self._api.respond(self._invocation, piece))

    def end(self, failure: Failure | None = None) -> None:
        """Nothing: the document was all."""

    async def finish(self, failure: Failure | None, patience: float) -> None:
        """Nothing: the document was all."""


def note_status(log: Log, invocation: Invocation, status: int) -> None:
    """Log a status by which the service says that it did not take a response as it was."""
    if status == BROKEN:
        log.note("The service did not confirm the response.", invocation.request_id)
    elif not accepted(status):
        log.note(f"The service answered {status} to the response.", invocation.request_id)
