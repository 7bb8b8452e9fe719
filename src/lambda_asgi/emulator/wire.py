"""HTTP/1.1 as both sides of the service speak it: heads, bodies, chunks and trailers (RFC 9112)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

READ_SIZE = 64 * 1024
BUFFER_SIZE = 256 * 1024
"""How much may wait to be parsed: a head, or what a peer sends ahead."""

_CRLF = b"\r\n"
_LENGTH_DIGITS = 19
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Fields = tuple[tuple[str, str], ...]


class MalformedMessageError(Exception):
    """The peer does not speak HTTP/1.1."""


class TruncatedBodyError(Exception):
    """The connection ended before the body did."""


def is_field(name: str, value: str) -> bool:
    """Whether a header field can be sent: a token as its name, no control character in its value (RFC 9110, 5.5)."""
    return _TOKEN.fullmatch(name) is not None and _CONTROL.search(value) is None


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request line and its header fields, names in lower case, in the order received.

    `length` is the size of the body in bytes, None where it comes in chunks.
    """

    method: str
    target: str
    version: str
    headers: Fields
    length: int | None

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


@lru_cache(maxsize=256)
def _parse_field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    value = value.strip(" \t")
    if not colon or not is_field(name, value):
        raise MalformedMessageError(f"not a header field: {line[:80]!r}")
    return name.lower(), value


@lru_cache(maxsize=64)
def parse_head(raw: bytes) -> RequestHead:
    """Parse a request's head, the closing empty line included. Raises MalformedMessageError."""
    start, *lines = raw[:-4].decode("latin-1").split("\r\n")
    parts = start.split(" ")
    if len(parts) != 3 or not _is_request_line(*parts):  # noqa: PLR2004 (a request line's parts)
        raise MalformedMessageError(f"not a request line: {start[:80]!r}")
    headers = tuple(map(_parse_field, lines))
    return RequestHead(parts[0], parts[1], parts[2], headers, _length(headers, parts[2]))


def _is_request_line(method: str, target: str, version: str) -> bool:
    return bool(_TOKEN.fullmatch(method) and target) and version in {"HTTP/1.0", "HTTP/1.1"}


@dataclass(frozen=True, slots=True)
class End:
    """The end of a request's body, with the declared fields that followed it (RFC 9110, 6.5)."""

    trailers: Mapping[str, str]


_PLAIN_END = End({})


class Parser:
    """The requests of one connection, from its bytes as they come.

    Each request is a head, the pieces of its body (none of them empty), and an end. `closed` says that the peer sends
    nothing more.
    """

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self.closed = False
        self._step: Callable[[Parser], RequestHead | bytes | End | None] = Parser._head
        self._request: RequestHead | None = None
        self._left = 0
        self._within_chunk = False
        self._trailers: dict[str, str] = {}

    @property
    def buffered(self) -> int:
        """How many bytes have come and are not parsed yet."""
        return len(self._data) - self._at

    @property
    def finished(self) -> bool:
        """Whether the peer closed between two requests."""
        return self.closed and not self.buffered and self._request is None

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._data = self._data[self._at :] + data if self.buffered else data
        self._at = 0

    def feed_eof(self) -> None:
        """Note that no more will come."""
        self.closed = True

    def next(self) -> RequestHead | bytes | End | None:
        """Return what comes next, None when it has not come yet. Raises MalformedMessageError, TruncatedBodyError."""
        return self._step(self)

    def _head(self) -> RequestHead | None:
        end = self._data.find(b"\r\n\r\n", self._at)
        if max(end - self._at, self.buffered if end < 0 else 0) > BUFFER_SIZE:
            raise MalformedMessageError("the head is too long")
        if end < 0:
            if self.closed and self.buffered:
                raise MalformedMessageError("the head is cut short")
            return None
        head = parse_head(self._data[self._at : end + 4])
        self._at = end + 4
        self._expect_body(head)
        return head

    def _expect_body(self, head: RequestHead) -> None:
        self._request = head
        self._left = head.length or 0
        self._within_chunk = False
        self._step = Parser._chunk_size if head.length is None else Parser._sized

    def _sized(self) -> bytes | End | None:
        return self._piece() if self._left else self._end(_PLAIN_END)

    def _piece(self) -> bytes | None:
        piece = self._data[self._at : self._at + self._left]
        if not piece:
            self._check_starved()
            return None
        self._at += len(piece)
        self._left -= len(piece)
        return piece

    def _chunk_size(self) -> bytes | End | None:
        if self._within_chunk and self.buffered >= len(_CRLF) and not self._data.startswith(_CRLF, self._at):
            raise MalformedMessageError("a chunk is longer than it says")
        begin = self._at + len(_CRLF) * self._within_chunk
        end = self._data.find(_CRLF, begin)
        if end < 0:
            self._check_starved()
            return None
        size = self._data[begin:end].partition(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(size):
            raise MalformedMessageError(f"not a chunk size: {size[:20]!r}")
        self._at = end + len(_CRLF)
        self._left = int(size, 16)
        self._within_chunk = True
        self._step = Parser._chunk if self._left else Parser._trailer_section
        return self._step(self)

    def _chunk(self) -> bytes | None:
        piece = self._piece()
        if not self._left:
            self._step = Parser._chunk_size
        return piece

    def _trailer_section(self) -> End | None:
        while (end := self._data.find(_CRLF, self._at)) >= 0:
            line = self._data[self._at : end]
            self._at = end + len(_CRLF)
            if not line:
                trailers, self._trailers = self._trailers, {}
                return self._end(End(trailers) if trailers else _PLAIN_END)
            self._keep_declared(*_parse_field(line.decode("latin-1")))
        self._check_starved()
        return None

    def _keep_declared(self, name: str, value: str) -> None:
        if self._request is not None and name in _values(self._request.headers, "trailer"):
            self._trailers[name] = value

    def _end(self, end: End) -> End:
        self._request = None
        self._step = Parser._head
        return end

    def _check_starved(self) -> None:
        """Raise if what is missing will never come, or too much has come without it."""
        if self.closed:
            raise TruncatedBodyError
        if self.buffered > BUFFER_SIZE:
            raise MalformedMessageError("a line is too long")


def _length(headers: Fields, version: str) -> int | None:
    """Return a body's size, None where it is chunked; a doubtful head could smuggle a request in."""
    codings, lengths = _values(headers, "transfer-encoding"), _values(headers, "content-length")
    if codings and (codings != ["chunked"] or lengths or version == "HTTP/1.0"):
        raise MalformedMessageError("a body is either chunked, and nothing else, or of a given length")
    if len(set(lengths)) > 1:
        raise MalformedMessageError("the content lengths differ")
    return None if codings else _content_length(lengths[0] if lengths else "0")


def _values(headers: Fields, name: str) -> list[str]:
    return [part.strip().lower() for key, value in headers if key == name for part in value.split(",")]


def _content_length(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < _LENGTH_DIGITS):
        raise MalformedMessageError(f"not a content length: {text[:20]!r}")
    return int(text)
