"""URLs as clients may write them: only what every parser, a browser's above all, reads in one way."""

import re
from typing import NamedTuple

_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*\Z")
"""RFC 3986, section 2: nothing but these; no spaces, quotes, backslashes, controls or letters beyond ASCII."""
_ESCAPES = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HIDDEN = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff]|5[Cc])")
"""Escaped control characters and backslashes: some programs undo the escape before they look."""
_WRITTEN = re.compile(r"([a-z][a-z0-9+.\-]*):(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?\Z")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\Z")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}\Z")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
_PORT = re.compile(r"[1-9][0-9]{0,4}\Z")
_HIGHEST_PORT = 65535
_LONGEST_NAME = 253


class Url(NamedTuple):
    """A URL's parts, as they were written.

    Attributes:
        authority: None where the scheme is not followed by `//`.
        host: the authority without its port, IPv6 in brackets; empty where there is no authority.
        port: None where none is written.
    """

    scheme: str
    authority: str | None
    host: str
    port: int | None
    path: str
    query: str | None


def parse(written: str, *, longest: int) -> Url:
    """The parts of a URL without user info, fragment and dot segments.

    Raises:
        ValueError: it is not one that every parser reads in one way; the message says why, without the URL.
    """
    if len(written) > longest:
        raise ValueError(f"is longer than {longest} characters")
    if not _CHARACTERS.match(written) or _ESCAPES.search(written) or _HIDDEN.search(written):
        raise ValueError("holds a character that no URL may hold")
    if "#" in written:
        raise ValueError("has a fragment")
    found = _WRITTEN.match(written)
    if found is None:
        raise ValueError("is no absolute URL with its scheme in small letters")
    scheme, authority, path, query = found.groups()
    if any(part in (".", "..") for part in re.sub("(?i)%2f", "/", re.sub("(?i)%2e", ".", path)).split("/")):
        raise ValueError("has a dot segment")
    host, port = _split(authority or "")
    return Url(scheme, authority, host, port, path, query)


def is_name(host: str) -> bool:
    """Whether a host is a DNS name in small letters that no parser takes for an address."""
    labels = host.split(".")
    return len(host) <= _LONGEST_NAME and all(map(_LABEL.match, labels)) and not _NUMBER.match(labels[-1])


def is_ipv4(host: str) -> bool:
    """Whether a host is an IPv4 address in its one usual form."""
    return bool(_IPV4.match(host))


def _split(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise ValueError("has user info")
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return authority, None
    if not _PORT.match(port) or int(port) > _HIGHEST_PORT:
        raise ValueError("has an odd port")
    return host, int(port)
