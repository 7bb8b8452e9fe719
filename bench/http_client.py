"""A raw HTTP/1.1 client for one kept-alive connection: little enough that what it measures is the server."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection; `post` may be called again and again, never twice at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to an http origin. Raises OSError where nobody listens."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(reader, writer, parts.netloc)

    async def post(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Send a request and read its whole response.

        Raises:
            OSError: the connection broke.
            EOFError: it was closed before the response was complete.
        """
        self._send(path, headers, body)
        status, received = await self._head()
        return Reply(status, received, b"".join([piece async for piece in self._pieces(received)]))

    async def stream(self, path: str, headers: dict[str, str], body: bytes) -> AsyncIterator[bytes]:
        """Send a request and yield its response's body, piece by piece as it comes.

        Raises:
            OSError: the connection broke.
            EOFError: it was closed before the response was complete.
        """
        self._send(path, headers, body)
        _, received = await self._head()
        async for piece in self._pieces(received):
            yield piece

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()

    def _send(self, path: str, headers: dict[str, str], body: bytes) -> None:
        lines = [f"POST {path} HTTP/1.1", f"host: {self._host}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def _head(self) -> tuple[int, dict[str, str]]:
        status_line, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines if line)
        return int(status_line.split()[1]), {name.lower(): value.strip() for name, _, value in fields}

    async def _pieces(self, headers: dict[str, str]) -> AsyncIterator[bytes]:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            yield await self._reader.readexactly(int(headers.get("content-length", "0")))
            return
        while size := int(await self._reader.readline(), 16):
            yield await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        await self._reader.readline()
