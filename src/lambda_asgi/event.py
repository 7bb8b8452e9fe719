"""Reading an event's parts without trusting their shape."""

import binascii
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from .errors import InvalidEventError

Event = Mapping[str, Any]
HeaderPairs = list[tuple[bytes, bytes]]


def section(event: Event, *names: str) -> Event:
    """The object at a path of names; an empty one where there is none."""
    for name in names:
        found = event.get(name)
        event = found if isinstance(found, dict) else {}
    return event


def text(value: Any) -> str:
    """A string as it is, anything else as an empty one."""
    return value if isinstance(value, str) else ""


def encoded(text: str) -> bytes:
    """UTF-8, with a question mark for what has no encoding."""
    return text.encode("utf-8", "replace")


def header_bytes(value: Any) -> bytes:
    """A header's name or value: latin-1, as ASGI has it, and UTF-8 where that is not enough."""
    text = "" if value is None else str(value)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return encoded(text)


@lru_cache(maxsize=256)
def header_name(name: str) -> bytes:
    """A header's name in lower case; one request's names are much like the next one's."""
    return header_bytes(name).lower()


def rooted(path: str) -> str:
    """The path with a slash before it."""
    return path if path.startswith("/") else f"/{path}"


def quoted(path: str) -> str:
    """The path, percent-encoded where a URL must be."""
    # What is legal in a path stays, and so does a percent sign: some gateways decode the path and some do not.
    if path.isascii() and path.isprintable() and " " not in path:
        return path
    from urllib.parse import quote  # only unusual paths need it

    return quote(path, safe="/%:@!$&'()*+,;=~", errors="replace")


def headers_with_cookies(event: Event) -> HeaderPairs:
    """Payload 2.0's headers. The cookies come from `cookies` alone, though `headers` repeats them."""
    cookies = event.get("cookies")
    pairs = [(header_name(name), header_bytes(value)) for name, value in section(event, "headers").items()]
    if not isinstance(cookies, list) or not cookies:
        return pairs
    return [pair for pair in pairs if pair[0] != b"cookie"] + [(b"cookie", b"; ".join(map(header_bytes, cookies)))]


def multi_headers(event: Event) -> HeaderPairs:
    """Payload 1.0's headers, one pair for each value."""
    many = flat(section(event, "multiValueHeaders")) or flat(section(event, "headers"))
    return [(header_name(name), header_bytes(value)) for name, value in many]


def flat(values: Event) -> list[tuple[str, str]]:
    """One pair for each value of an object whose values are strings or lists of them."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        several: Iterable[Any] = value if isinstance(value, list) else [value]
        pairs += [(str(name), "" if each is None else str(each)) for each in several]
    return pairs


def body(event: Event) -> bytes:
    """The body's bytes.

    Raises:
        InvalidEventError: It is no string, or not the base64 that it is said to be.
    """
    content = event.get("body")
    if content is None:
        return b""
    if not isinstance(content, str):
        raise InvalidEventError("The event's body is not a string.")
    try:
        return binascii.a2b_base64(content) if event.get("isBase64Encoded") is True else content.encode()
    except ValueError as error:
        raise InvalidEventError("The event's body is not what the event says it is.") from error
