"""One TCP connection on a bare socket: asyncio's streams take ten turns of the loop for what is three system calls."""

import asyncio
import errno
import socket
from contextlib import suppress
from typing import Any

_READ_SIZE = 8192
_CONNECTED = frozenset((0, errno.EISCONN))


class Connection:
    """A connection on which one side sends and then hears the other's answer. What is sent stays in order.

    A `send` that is cancelled leaves what the system has not taken yet to the next one.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._unsent = bytearray()
        self._room = asyncio.Event()
        self._room.set()

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        """Connect to the first of a host's addresses that takes it.

        Raises:
            OSError: There is no such host, or nobody listens there.
        """
        refusal = OSError(errno.EHOSTUNREACH, f"{host} has no address")
        for family, target in await _targets(host, port):
            try:
                return cls(await _connected(family, target))
            except OSError as error:
                refusal = error
        raise refusal

    async def send(self, data: bytes = b"") -> None:
        """Send what is unsent and then `data`; return when the system has taken all of it.

        Raises:
            OSError: The connection is broken, or was closed here.
        """
        self._unsent += data
        while self._unsent:
            try:
                sent = self._socket.send(self._unsent)
            except BlockingIOError:
                await self._wait_for_room()
            else:
                del self._unsent[:sent]

    def received(self) -> bytes | None:
        """Return what has come, `b""` where the other side sends nothing more, None where nothing is there yet.

        Raises:
            OSError: The connection is broken.
        """
        try:
            return self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return None

    async def receive(self) -> bytes:
        """Wait for something to come, and return it as `received` does.

        Raises:
            OSError: The connection is broken.
        """
        return await asyncio.get_running_loop().sock_recv(self._socket, _READ_SIZE)

    def close(self) -> None:
        """Close the connection, whatever is still unsent; who waits in `send` gets an error."""
        self._on_room()
        self._socket.close()

    async def _wait_for_room(self) -> None:
        self._room.clear()
        asyncio.get_running_loop().add_writer(self._socket.fileno(), self._on_room)
        await self._room.wait()

    def _on_room(self) -> None:
        if not self._room.is_set():
            asyncio.get_running_loop().remove_writer(self._socket.fileno())
            self._room.set()


async def _targets(host: str, port: int) -> list[tuple[int, Any]]:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return [(family, (host, port))]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, target) for family, _, _, _, target in found]


async def _connected(family: int, target: Any) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Over loopback the first attempt has succeeded by the time of the second, without a turn of the loop.
        if made.connect_ex(target) not in _CONNECTED and made.connect_ex(target) not in _CONNECTED:
            await asyncio.get_running_loop().sock_connect(made, target)
    except BaseException:
        made.close()
        raise
    return made
