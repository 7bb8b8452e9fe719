"""A TCP connection of the service on a bare socket: asyncio's streams take several turns of the loop for a message."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Protocol

from .wire import BUFFER_SIZE, READ_SIZE, End, MalformedMessageError, Parser, RequestHead, TruncatedBodyError

_LINGER = 0.5
_HIGH_WATER = 64 * 1024
_LOW_WATER = 16 * 1024

Pending = Coroutine[Any, Any, None] | None
"""What must be over before a connection is read on; mostly nothing."""


def afterwards(work: Callable[..., None], *arguments: Any) -> None:
    """Call `work` when a client that lives on this same loop has taken what it was just sent.

    Reading takes it a turn of the loop, in which timers come after sockets, and going on takes it another.
    """
    loop = asyncio.get_running_loop()
    loop.call_later(0, loop.call_soon, work, *arguments)


class Handler(Protocol):
    """What is done with the requests of one connection."""

    def begin(self, connection: "Connection", head: RequestHead) -> Pending:
        """Take the head of a request."""
        ...

    def piece(self, connection: "Connection", data: bytes) -> Pending:
        """Take a piece of its body."""
        ...

    def end(self, connection: "Connection", trailers: Mapping[str, str]) -> Pending:
        """Take the end of its body."""
        ...

    def pause(self) -> None:
        """Pass on what is kept: all that came has been taken."""
        ...

    def broken(self, connection: "Connection", error: MalformedMessageError | TruncatedBodyError) -> None:
        """Give the connection up: nothing on it can be understood any more."""
        ...

    def left(self, connection: "Connection") -> None:
        """Note that the connection has ended."""
        ...


class Connection:
    """One accepted connection: parses what comes for its handler, sends what that answers.

    What is written leaves at once, as far as the system takes it. A connection that is held is read no further than
    its buffer reaches, and nothing of it is parsed.
    """

    def __init__(self, accepted: socket.socket, handler: Handler, ended: "Callable[[Connection], None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = accepted
        self._descriptor = accepted.fileno()
        self._parser = Parser()
        self._unsent = bytearray()
        self._drained: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._holds = 0
        self._reading = self._advancing = self._lingering = self._closing = self._closed = False
        self.lost = False
        self._ended = ended
        self._handler = handler

    def read(self) -> None:
        """Take what has come; what comes later is taken when it does."""
        try:
            data = self._socket.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            self._read_on()
            return
        except OSError:
            self._lose()
            return
        if data and not self._lingering:
            self._parser.feed(data)
        elif not data:
            self._stop_reading()
            self._parser.feed_eof()
        self._advance()

    @property
    def congested(self) -> bool:
        """Whether the peer takes what is written more slowly than it comes."""
        return len(self._unsent) > _HIGH_WATER

    def write(self, data: bytes) -> None:
        """Send; nothing where the connection is broken or closed."""
        if self.lost or self._closing:
            return
        if not self._unsent:
            data = data[self._send(data) :]
            if not data or self.lost:
                return
            self._loop.add_writer(self._descriptor, self._on_writable)
        self._unsent += data

    async def drain(self) -> None:
        """Wait until the peer has taken most of what was written, or is gone."""
        if self.congested:
            self._drained = self._loop.create_future()
            await self._drained

    def hold(self) -> None:
        """Parse nothing until a `resume` for each `hold`."""
        self._holds += 1

    def resume(self) -> None:
        """Go on with what has come meanwhile."""
        self._holds -= 1
        if not self._advancing:
            self._advance()

    def wait(self, pending: Coroutine[Any, Any, None]) -> None:
        """Hold until something is over."""
        self.hold()
        self._task = self._loop.create_task(pending)
        self._task.add_done_callback(self._waited)

    def linger(self) -> None:
        """End a connection whose peer may still be sending, so that it can read the answer first (RFC 9112, 9.6)."""
        self._lingering = True
        if self.lost or self._parser.closed:
            self.close()
        elif not self._closed:
            if not self._unsent:
                self._say_end()
            self._read_on()
            self._loop.call_later(_LINGER, self.close)

    def close(self) -> None:
        """Close as soon as all is sent."""
        self._closing = True
        if not self._unsent:
            self.abort()

    def abort(self) -> None:
        """Close now, whatever is still unsent."""
        if self._closed:
            return
        self._closed = self._closing = True
        self._stop_reading()
        self._discard()
        self._socket.close()
        self._handler.left(self)
        self._ended(self)

    async def stop(self) -> None:
        """Close now and end what is waited for."""
        self.abort()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _advance(self) -> None:
        self._advancing = True
        try:
            self._deliver_all()
        except BaseException:
            self.abort()
            raise
        finally:
            self._advancing = False
        if self._parser.buffered > BUFFER_SIZE:
            self._stop_reading()
        elif not self._holds:
            self._read_on()

    def _deliver_all(self) -> None:
        try:
            while not (self._holds or self._lingering or self._closing):
                if (event := self._parser.next()) is None:
                    break
                if (pending := self._deliver(event)) is not None:
                    self.wait(pending)
        except (MalformedMessageError, TruncatedBodyError) as error:
            self._handler.broken(self, error)
        self._handler.pause()
        if self._parser.closed and (self._lingering or (self._parser.finished and not self._holds)):
            self.close()

    def _deliver(self, event: RequestHead | bytes | End) -> Pending:
        if isinstance(event, bytes):
            return self._handler.piece(self, event)
        if isinstance(event, End):
            return self._handler.end(self, event.trailers)
        return self._handler.begin(self, event)

    def _send(self, data: bytes | bytearray) -> int:
        """Return how much the system took."""
        try:
            return self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self._lose()
            return 0

    def _on_writable(self) -> None:
        del self._unsent[: self._send(self._unsent)]
        if len(self._unsent) <= _LOW_WATER:
            self._release()
        if self._unsent or self.lost:
            return
        self._loop.remove_writer(self._descriptor)
        if self._closing:
            self.abort()
        elif self._lingering:
            self._say_end()

    def _lose(self) -> None:
        """Note that the connection is broken; it closes when what is under way on it is over."""
        self.lost = True
        self._discard()
        self._stop_reading()
        self._parser.feed_eof()
        self._loop.call_soon(self._advance)

    def _discard(self) -> None:
        if self._unsent:
            self._unsent.clear()
            self._loop.remove_writer(self._descriptor)
        self._release()

    def _release(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _say_end(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def _read_on(self) -> None:
        if not (self._reading or self._parser.closed or self._closed):
            self._reading = True
            self._loop.add_reader(self._descriptor, self.read)

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._descriptor)

    def _waited(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled():
            if task.exception() is not None:
                self.abort()
            task.result()
            self.resume()
