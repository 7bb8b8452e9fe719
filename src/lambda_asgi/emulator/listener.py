"""A listening TCP socket, and the connections that came by it."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

from .http_connection import Connection, Handler

_REST = 0.1
_BACKLOG = 1024


class Listener:
    """A TCP server whose connections end with it."""

    def __init__(self, serve: Callable[[str], Handler]) -> None:
        """Prepare one; `serve` makes the handler of a connection from its peer's address."""
        self._serve = serve
        self._sockets: list[socket.socket] = []
        self._open: set[Connection] = set()
        self._all_ended = asyncio.Event()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen on host and port (0: any free one); return both as they are. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, target in dict.fromkeys((family, target) for family, _, _, _, target in found):
                listening = socket.create_server(target[:2], family=family, backlog=_BACKLOG)
                listening.setblocking(False)
                self._sockets.append(listening)
        except OSError:
            await self.stop()
            raise
        for listening in self._sockets:
            loop.add_reader(listening.fileno(), self._accept, listening)
        address: tuple[str, int] = self._sockets[0].getsockname()[:2]
        return address

    async def drained(self, seconds: float) -> None:
        """Wait until every connection has ended, at most so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._open:
                    self._all_ended.clear()
                    await self._all_ended.wait()

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        for listening in self._sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
            listening.close()
        self._sockets.clear()
        for connection in list(self._open):
            await connection.stop()

    def _accept(self, listening: socket.socket) -> None:
        try:
            accepted, peer = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:
            self._rest(listening)
            return
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(accepted, self._serve(peer[0]), self._forget)
        self._open.add(connection)
        connection.read()

    def _rest(self, listening: socket.socket) -> None:
        """Accept nothing for a while: there are no descriptors left, and the connection waits until there are."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening.fileno())
        loop.call_later(_REST, self._accept_again, listening)

    def _accept_again(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            asyncio.get_running_loop().add_reader(listening.fileno(), self._accept, listening)

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        if not self._open:
            self._all_ended.set()
