"""ASGI response messages -> what Lambda takes.

Pure: messages go in, bytes come out; nothing here waits or touches a socket.
Sources: https://asgi.readthedocs.io/en/latest/specs/www.html (Response Start, Response Body) and
https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html, API Gateway's
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html (the prelude).
"""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .asgi import Message
from .errors import InvalidResponseError, ResponseClosedError

MAX_PRELUDE = 16 * 1024
"""Bytes of status, headers and cookies together."""

MAX_CHUNK = 64 * 1024
"""Bytes in one chunk of the stream; longer bodies are cut, so that little is in flight when the deadline comes."""

DELIMITER = bytes(8)
PADDING = b"\n"

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE = re.compile(rb"[\r\n\0]")
# Connection management belongs to the service (RFC 9110, section 7.6.1), and so does the framing of the body.
_DROPPED = frozenset(
    (
        b"connection",
        b"content-length",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_BODILESS = frozenset((204, 304))


class Head(NamedTuple):
    """Status, headers and cookies of a response, checked.

    Header names are in lower case, in the order sent; a name may be repeated. Set-Cookie is in `cookies` instead.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    cookies: tuple[str, ...]

    @classmethod
    def from_message(cls, message: Message) -> "Head":
        """Read an `http.response.start` message.

        Raises:
            InvalidResponseError: The status is none, a name is not a token, or a value holds CR, LF or NUL.
        """
        status = message.get("status")
        if not isinstance(status, int) or not 200 <= status <= 599:  # noqa: PLR2004 - final HTTP statuses
            raise InvalidResponseError(f"{status!r} is not the status of a final response.")
        pairs = [_checked(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
        return cls(
            status,
            tuple((name.decode(), value) for name, value in pairs if name != b"set-cookie" and name not in _DROPPED),
            tuple(value for name, value in pairs if name == b"set-cookie"),
        )

    @property
    def joined(self) -> dict[str, str]:
        """The headers with repeated ones joined by a comma (RFC 9110, section 5.3)."""
        headers: dict[str, str] = {}
        for name, value in self.headers:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    def prelude(self) -> bytes:
        """The JSON that a streamed response begins with.

        Raises:
            InvalidResponseError: It is larger than `MAX_PRELUDE`.
        """
        # Some services refuse a prelude without cookies, though there be none.
        document = {"statusCode": self.status, "headers": self.joined, "cookies": self.cookies}
        return _bounded(json.dumps(document, separators=(",", ":")).encode())


def _checked(name: bytes, value: bytes) -> tuple[bytes, str]:
    if not _TOKEN.fullmatch(name):
        raise InvalidResponseError(f"{name!r} is not a header name.")
    if _UNSAFE.search(value):
        raise InvalidResponseError(f"The value of header {name.decode()} holds a line break or NUL.")
    return name.lower(), value.strip(b" \t").decode("latin-1")


def _bounded(prelude: bytes) -> bytes:
    if len(prelude) > MAX_PRELUDE:
        raise InvalidResponseError(f"Status and headers take {len(prelude)} bytes; Lambda allows {MAX_PRELUDE}.")
    return prelude


Encoder = Callable[[Head, bytes], dict[str, Any]]
"""An event source's way to put a whole response into one document."""

MAX_DOCUMENT = 6 * 1024 * 1024
"""Bytes of a buffered response, as JSON."""


def _within_limit(document: bytes) -> bytes:
    if len(document) > MAX_DOCUMENT:
        raise InvalidResponseError(f"The response takes {len(document)} bytes; a buffered one may have {MAX_DOCUMENT}.")
    return document


class Response:
    """The messages of one response in their order, checked: a start, then bodies until one says it is the last.

    `complete` says that the last one came.
    """

    def __init__(self, *, bodiless: bool) -> None:
        self.complete = False
        self._bodiless = bodiless
        self._head: Head | None = None

    def feed(self, message: Message) -> list[bytes]:
        """Take one message; return the pieces to send now, none of them empty.

        Raises:
            InvalidResponseError: The message is out of order, or cannot go out.
            ResponseClosedError: The response was complete already.
        """
        kind = message.get("type")
        if self.complete:
            raise ResponseClosedError(f"{kind!r} came after the end of the response.")
        if kind == "http.response.start" and self._head is None:
            self._head = self._accept(Head.from_message(message))
            return []
        if kind == "http.response.body" and self._head is not None:
            return self._feed_body(self._head, message)
        raise InvalidResponseError(f"{kind!r} is not what may come next in a response.")

    def _feed_body(self, head: Head, message: Message) -> list[bytes]:
        body = b"" if self._bodiless or head.status in _BODILESS else bytes(message.get("body") or b"")
        pieces = self._pieces(head, body)
        if not message.get("more_body", False):
            pieces += self._last(head)
            self.complete = True
        return pieces

    def _accept(self, head: Head) -> Head:
        return head

    def _pieces(self, head: Head, body: bytes) -> list[bytes]:
        raise NotImplementedError

    def _last(self, head: Head) -> list[bytes]:
        raise NotImplementedError


class StreamedResponse(Response):
    """Prelude and delimiter with the first body, then every body as it comes."""

    def __init__(self, *, bodiless: bool = False, pad_empty_body: bool = False) -> None:
        super().__init__(bodiless=bodiless)
        self._pad = pad_empty_body
        self._opening: list[bytes] = []
        self._empty = True

    def _accept(self, head: Head) -> Head:
        self._opening = [head.prelude(), DELIMITER]
        return head

    def _pieces(self, head: Head, body: bytes) -> list[bytes]:  # noqa: ARG002 - the prelude was made of the head
        pieces, self._opening = self._opening, []
        self._empty = self._empty and not body
        return pieces + [body[at : at + MAX_CHUNK] for at in range(0, len(body), MAX_CHUNK)]

    def _last(self, head: Head) -> list[bytes]:
        return [PADDING] if self._pad and self._empty and head.status not in _BODILESS else []


class BufferedResponse(Response):
    """Everything at the end, as one JSON document in the event source's own form."""

    def __init__(self, encode: Encoder, *, bodiless: bool = False) -> None:
        super().__init__(bodiless=bodiless)
        self._encode = encode
        self._bodies: list[bytes] = []

    def _pieces(self, head: Head, body: bytes) -> list[bytes]:  # noqa: ARG002 - the head goes out at the end
        self._bodies.append(body)
        return []

    def _last(self, head: Head) -> list[bytes]:
        return [_within_limit(json.dumps(self._encode(head, b"".join(self._bodies))).encode())]
