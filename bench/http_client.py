"""A raw HTTP/1.1 client for one kept-alive connection: little enough that what it measures is the server."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_READ_SIZE = 64 * 1024
_CRLF = b"\r\n"
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection; `post` may be called again and again, never twice at a time."""

    def __init__(self, connected: socket.socket, host: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = connected
        self._host = host
        self._received = b""
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._loop.add_reader(connected.fileno(), self._on_readable)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to an http origin. Raises OSError where nobody listens."""
        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        connected = socket.socket(family, kind, protocol)
        try:
            connected.setblocking(False)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(connected, address)
        except BaseException:
            connected.close()
            raise
        return cls(connected, parts.netloc)

    async def post(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Send a request and read its whole response.

        Raises:
            OSError: the connection broke.
            EOFError: it was closed before the response was complete.
        """
        await self._send(path, headers, body)
        status, received = await self._head()
        return Reply(status, received, b"".join([piece async for piece in self._pieces(received)]))

    async def stream(self, path: str, headers: dict[str, str], body: bytes) -> AsyncIterator[bytes]:
        """Send a request and yield its response's body, piece by piece as it comes.

        Raises:
            OSError: the connection broke.
            EOFError: it was closed before the response was complete.
        """
        await self._send(path, headers, body)
        _, received = await self._head()
        async for piece in self._pieces(received):
            yield piece

    async def close(self) -> None:
        """Close the connection."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    async def _send(self, path: str, headers: dict[str, str], body: bytes) -> None:
        lines = [f"POST {path} HTTP/1.1", f"host: {self._host}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        await self._loop.sock_sendall(self._socket, "\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def _head(self) -> tuple[int, dict[str, str]]:
        status_line, *lines = (await self._until(_HEAD_END)).decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines)
        return int(status_line.split()[1]), {name.lower(): value.strip() for name, _, value in fields}

    async def _pieces(self, headers: dict[str, str]) -> AsyncIterator[bytes]:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            yield await self._exactly(int(headers.get("content-length", "0")))
            return
        while size := int(await self._until(_CRLF), 16):
            yield await self._exactly(size)
            await self._until(_CRLF)
        await self._until(_CRLF)

    async def _until(self, end: bytes) -> bytes:
        """Return what comes before `end`, which is taken too."""
        while (at := self._received.find(end)) < 0:
            await self._more()
        found, self._received = self._received[:at], self._received[at + len(end) :]
        return found

    async def _exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            await self._more()
        found, self._received = self._received[:size], self._received[size:]
        return found

    async def _more(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        await self._waiter

    def _on_readable(self) -> None:
        # The socket is watched all the time: to begin and end that for each response costs more than the response.
        try:
            data = self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error)
        else:
            self._received += data
            if not data:
                self._fail(EOFError("the connection was closed before the response was complete"))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, failure: Exception) -> None:
        self._failure = failure
        self._loop.remove_reader(self._socket.fileno())
