"""As much HTTP/1.1 client as the Runtime API needs (RFC 9112), on asyncio streams."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

# An event's headers carry a client context of up to 3.5 KB, and the reader's default of 64 KiB stalls a 6 MB event.
_READ_LIMIT = 1 << 20


class Address(NamedTuple):
    """Where an HTTP server listens, and the path that its resources begin with."""

    host: str
    port: int
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `host:port`, with or without a scheme before it and a path behind it.

        Raises:
            ValueError: The port is not a number.
        """
        authority, _, path = text.rpartition("://")[2].partition("/")
        host, _, port = authority.rpartition(":")
        if not host:
            host, port = authority, "80"
        return cls(host.strip("[]"), int(port), f"/{path}".rstrip("/"))


class Reply(NamedTuple):
    """A whole HTTP response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


Headers = Iterable[tuple[str, str]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(address: Address) -> Streams:
    """Open a connection. asyncio itself sets TCP_NODELAY on it."""
    return await asyncio.open_connection(address.host, address.port, limit=_READ_LIMIT)


def request_head(address: Address, method: str, path: str, headers: Headers) -> bytes:
    """The request line and header section, with the address's Host and path prefix."""
    lines = [f"{method} {address.prefix}{path} HTTP/1.1", f"Host: {address.host}:{address.port}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class ReplyHead:
    """The head of one response, fed with bytes as they come; `status` is None until it is whole."""

    def __init__(self) -> None:
        self.status: int | None = None
        self._data = b""

    def feed(self, data: bytes) -> None:
        """Take what came; nothing of a body is kept.

        Raises:
            EOFError: `data` is empty, the connection's end.
            ValueError: What came is not an HTTP response.
        """
        if not data:
            raise EOFError
        self._data += data
        while self.status is None and b"\r\n\r\n" in self._data:
            head, _, self._data = self._data.partition(b"\r\n\r\n")
            status, _ = _parse_head(head)
            self.status = status if status >= 200 else None  # noqa: PLR2004 - interim responses, RFC 9110 section 15.2


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """Read one response.

    Raises:
        EOFError: The connection ended before the response did.
        ValueError: What came is not an HTTP response.
    """
    status: int = 100
    headers: dict[str, str] = {}
    while 100 <= status < 200:  # noqa: PLR2004 - interim responses, RFC 9110 section 15.2
        status, headers = _parse_head(await reader.readuntil(b"\r\n\r\n"))
    return Reply(status, headers, await _read_body(reader, status, headers))


def _parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    status_line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    version, _, rest = status_line.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"not an HTTP/1.1 status line: {status_line[:40]!r}")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(rest[:3]), headers


async def _read_body(reader: asyncio.StreamReader, status: int, headers: dict[str, str]) -> bytes:
    if status in {204, 304}:
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    headers["connection"] = "close"
    return await reader.read()


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    chunks = []
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        chunks.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return b"".join(chunks)


async def request(address: Address, method: str, path: str, headers: Headers = (), body: bytes = b"") -> Reply:
    """One request with a whole body, on a connection of its own."""
    async with _opened(address) as (reader, writer):
        framing = [("Content-Length", str(len(body))), ("Connection", "close")]
        # Not drained first: a server that refuses a large body answers and closes before it has read it all.
        writer.write(request_head(address, method, path, [*headers, *framing]) + body)
        return await read_reply(reader)


@asynccontextmanager
async def _opened(address: Address) -> AsyncIterator[Streams]:
    reader, writer = await connect(address)
    try:
        yield reader, writer
    finally:
        writer.close()


class KeptAlive:
    """One connection for GETs that may take for ever to be answered, opened again when it was closed meanwhile."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._streams: Streams | None = None

    async def get(self, path: str, headers: Headers = ()) -> Reply:
        """Send a GET and wait for its reply, without a time limit.

        Raises:
            OSError: Nobody listens, or the connection broke.
            EOFError: The connection was closed before a reply came; calling again opens a new one.
            ValueError: What came is not an HTTP response.
        """
        try:
            if self._streams is None:
                self._streams = await connect(self._address)
            reader, writer = self._streams
            writer.write(request_head(self._address, "GET", path, headers))
            reply = await read_reply(reader)
        except BaseException:
            self.close()
            raise
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
