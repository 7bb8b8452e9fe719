"""Which redirect URIs a client may have, and which of them a request means (RFC 8252; RFC 9700, section 4.1)."""

from collections.abc import Iterable
from typing import Final

from auth.errors import InvalidRedirectUriError
from auth.server.urls import Url, is_ipv4, is_name, parse

LONGEST: Final = 1000
"""Characters of a redirect URI, at most."""

LOOPBACK: Final = ("127.0.0.1", "[::1]", "localhost")
"""Hosts to which plain http may go: the browser's own machine."""

KNOWN_SCHEMES: Final = frozenset(
    {"claude", "cursor", "goose", "kiro", "raycast", "vscode", "vscode-insiders", "vscodium", "warp", "windsurf", "zed"}
)
"""Schemes of well-known apps that are not made from a domain name, as RFC 8252 (section 7.1) wants them to be."""

_DEFAULT_PORTS = {"https": 443, "http": 80}


def check(uri: str) -> None:
    """See that a client may have a redirect URI.

    Raises:
        InvalidRedirectUriError: it may not; the message says why.
    """
    try:
        _check(parse(uri, longest=LONGEST))
    except ValueError as reason:
        raise InvalidRedirectUriError(f"A redirect URI {reason}.") from None


def matches(registered: str, asked: str) -> bool:
    """Whether a request's redirect URI is the registered one.

    They are compared as strings (RFC 9700, section 4.1.3), except for the port on loopback, which an app learns when
    it starts to listen (RFC 8252, section 7.3).
    """
    if registered == asked:
        return True
    if not (registered.startswith("http://") and asked.startswith("http://")):
        return False
    try:
        ours, theirs = parse(registered, longest=LONGEST), parse(asked, longest=LONGEST)
        _check(ours)
    except ValueError:
        return False
    return ours._replace(port=None, authority="") == theirs._replace(port=None, authority="")


def permitted(registered: Iterable[str], asked: str) -> bool:
    """Whether a request's redirect URI is one of those registered."""
    return any(matches(uri, asked) for uri in registered)


def is_loopback(uri: str) -> bool:
    """Whether a checked redirect URI leads to the browser's own machine over http."""
    return uri.startswith("http://")


def is_native(uri: str) -> bool:
    """Whether a checked redirect URI leads to an app on the browser's machine."""
    return not uri.startswith("https://")


def host_of(uri: str) -> str:
    """Where a checked redirect URI leads, for people: the host, or an app's scheme with its colon."""
    url = parse(uri, longest=LONGEST)
    return url.host if url.scheme in _DEFAULT_PORTS else f"{url.scheme}:"


def origin_of(uri: str) -> str:
    """What a Content-Security-Policy calls the place to which a checked redirect URI leads.

    It is the URI's origin. An app's scheme has none, and a policy cannot name an IPv6 host (CSP 3, section 2.3.1):
    both are called by their scheme.
    """
    url = parse(uri, longest=LONGEST)
    if url.scheme not in _DEFAULT_PORTS or url.host.startswith("["):
        return f"{url.scheme}:"
    port = "" if url.port in (None, _DEFAULT_PORTS[url.scheme]) else f":{url.port}"
    return f"{url.scheme}://{url.host}{port}"


def _check(url: Url) -> None:
    if url.scheme == "https":
        if not (is_name(url.host) or is_ipv4(url.host)):
            raise ValueError("has no DNS name or IPv4 address for its host")
    elif url.scheme == "http":
        if url.host not in LOOPBACK:
            raise ValueError("uses http for a host other than 127.0.0.1, [::1] or localhost")
    elif "." not in url.scheme and url.scheme not in KNOWN_SCHEMES:
        raise ValueError("has a scheme that is neither https nor an app's own, made from its domain name")
    elif url.authority is None and not url.path.startswith("/"):
        raise ValueError("has no slash behind its scheme")
    elif url.host and not is_name(url.host):
        raise ValueError("has an odd host")
