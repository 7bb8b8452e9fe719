"""HTTP/1.1 as both sides of the service speak it: heads, bodies, chunks and trailers (RFC 9112)."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

READ_SIZE = 64 * 1024
_BUFFER = 256 * 1024
_LINGER = 0.5
_LENGTH_DIGITS = 19
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class MalformedMessageError(Exception):
    """The peer does not speak HTTP/1.1."""


class TruncatedBodyError(Exception):
    """The connection ended before the body did."""


def is_field(name: str, value: str) -> bool:
    """Whether a header field can be sent: a token as its name, no control character in its value (RFC 9110, 5.5)."""
    return _TOKEN.fullmatch(name) is not None and _CONTROL.search(value) is None


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request line and its header fields, names in lower case, in the order received."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """Return the first value of a field, empty when it is absent."""
        for key, value in self.headers:
            if key == name:
                return value
        return ""

    def combined(self) -> dict[str, str]:
        """Return every field once, repeats joined by a comma (cookies by a semicolon; RFC 6265, 5.4)."""
        fields: dict[str, str] = {}
        for name, value in self.headers:
            joint = "; " if name == "cookie" else ","
            fields[name] = f"{fields[name]}{joint}{value}" if name in fields else value
        return fields

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may serve another request (RFC 9112, 9.3)."""
        tokens = self.header("connection").lower()
        return "keep-alive" in tokens if self.version == "HTTP/1.0" else "close" not in tokens


def _parse_field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    value = value.strip(" \t")
    if not colon or not is_field(name, value):
        raise MalformedMessageError(f"not a header field: {line[:80]!r}")
    return name.lower(), value


def parse_head(raw: bytes) -> RequestHead:
    """Parse a request's head, the closing empty line included. Raises MalformedMessageError."""
    start, *lines = raw[:-4].decode("latin-1").split("\r\n")
    parts = start.split(" ")
    if len(parts) != 3 or not _is_request_line(*parts):  # noqa: PLR2004 (a request line's parts)
        raise MalformedMessageError(f"not a request line: {start[:80]!r}")
    return RequestHead(parts[0], parts[1], parts[2], tuple(map(_parse_field, lines)))


def _is_request_line(method: str, target: str, version: str) -> bool:
    return bool(_TOKEN.fullmatch(method) and target) and version in {"HTTP/1.0", "HTTP/1.1"}


async def read_head(reader: asyncio.StreamReader) -> RequestHead | None:
    """Return the next request's head, None when the peer closed instead. Raises MalformedMessageError."""
    try:
        return parse_head(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise MalformedMessageError("the head is cut short") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise MalformedMessageError("the head is too long") from error
    except ConnectionError:
        return None


class Body:
    """A request's body as it arrives; `trailers` holds the declared fields that followed it (RFC 9110, 6.5).

    `length` is its size in bytes, None where it comes in chunks.

    Raises:
        MalformedMessageError: the head does not say, or says in two ways, where the body ends.
    """

    def __init__(self, reader: asyncio.StreamReader, head: RequestHead) -> None:
        self._reader = reader
        self.length = _length(head)
        self._chunked = self.length is None
        self._declared = frozenset(
            declared.strip().lower()
            for name, value in head.headers
            if name == "trailer"
            for declared in value.split(",")
        )
        self._left = self.length or 0
        self._within_chunk = False
        self._ended = not self._chunked and not self._left
        self.trailers: dict[str, str] = {}

    async def read(self) -> bytes:
        """Return what has arrived, nothing at the end. Raises TruncatedBodyError, MalformedMessageError."""
        try:
            if self._chunked and not self._left and not self._ended:
                await self._next_chunk()
            return b"" if self._ended else await self._piece()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
            raise TruncatedBodyError from error

    async def read_all(self) -> bytes:
        """Return the whole body. Raises TruncatedBodyError, MalformedMessageError."""
        pieces = []
        while piece := await self.read():
            pieces.append(piece)
        return b"".join(pieces)

    async def _piece(self) -> bytes:
        piece = await self._reader.read(min(self._left, READ_SIZE))
        if not piece:
            raise TruncatedBodyError
        self._left -= len(piece)
        self._ended = not self._left and not self._chunked
        return piece

    async def _next_chunk(self) -> None:
        if self._within_chunk and await self._reader.readexactly(2) != b"\r\n":
            raise MalformedMessageError("a chunk is longer than it says")
        size = (await self._reader.readuntil(b"\r\n")).partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
            raise MalformedMessageError(f"not a chunk size: {size[:20]!r}")
        self._left = int(size, 16)
        self._within_chunk = True
        if not self._left:
            self._ended = True
            await self._read_trailers()

    async def _read_trailers(self) -> None:
        while (line := await self._reader.readuntil(b"\r\n")) != b"\r\n":
            name, value = _parse_field(line[:-2].decode("latin-1"))
            if name in self._declared:
                self.trailers[name] = value


def _length(head: RequestHead) -> int | None:
    """Return the body's size, None where it is chunked; a doubtful head could smuggle a request in."""
    codings, lengths = _values(head, "transfer-encoding"), _values(head, "content-length")
    if codings and (codings != ["chunked"] or lengths or head.version == "HTTP/1.0"):
        raise MalformedMessageError("a body is either chunked, and nothing else, or of a given length")
    if len(set(lengths)) > 1:
        raise MalformedMessageError("the content lengths differ")
    return None if codings else _content_length(lengths[0] if lengths else "0")


def _values(head: RequestHead, name: str) -> list[str]:
    return [part.strip().lower() for key, value in head.headers if key == name for part in value.split(",")]


def _content_length(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < _LENGTH_DIGITS):
        raise MalformedMessageError(f"not a content length: {text[:20]!r}")
    return int(text)


async def linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End a connection whose peer may still be sending, so that it can read the answer first (RFC 9112, 9.6)."""
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(_LINGER):
            writer.write_eof()
            while await reader.read(READ_SIZE):
                pass


class Listener:
    """A TCP server whose connections end with it."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen on host and port (0: any free one); return both as they are."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=_BUFFER, backlog=1024)
        address: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        return address

    async def drained(self, seconds: float) -> None:
        """Wait until every connection has ended, at most so many seconds."""
        if self._open:
            await asyncio.wait(list(self._open), timeout=seconds)

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._open)
        for task, writer in list(self._open.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._open[task] = writer
        task.add_done_callback(self._open.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                await self._handler(reader, writer)
        finally:
            writer.close()
