"""Where clients reach this server, and from where: by the settings or the platform, never by what a client sends."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from auth.loopback import is_loopback
from mcp_app.settings import Settings
from mcp_app.tools.client_address import parse_address

NOWHERE: Final = "0.0.0.0"  # noqa: S104 (no address to bind)
"""The address of whoever has none: all of them share it."""


class UnknownAddressError(Exception):
    """Nothing trustworthy tells the server's own address."""


def public_url(settings: Settings, scope: Mapping[str, Any]) -> str | None:
    """The origin that clients use for this request's server; None where nothing trustworthy tells it.

    `PUBLIC_URL` goes first. On Lambda it is then the domain of the event's request context, which the service sets;
    elsewhere the address of the socket that took the connection.
    """
    if settings.public_url is not None:
        return settings.public_url
    event = lambda_event(scope)
    if event is not None:
        domain = event.get("requestContext", {}).get("domainName")
        return f"https://{domain.lower()}" if isinstance(domain, str) and domain else None
    return None if settings.lambda_function else _socket_url(scope)


def issuer_of(settings: Settings) -> Callable[[Mapping[str, Any]], str]:
    """The function that gives the issuer for a request's ASGI scope: the server's origin, one exact string everywhere.

    That function raises `UnknownAddressError` where nothing trustworthy tells it.
    """

    def issuer(scope: Mapping[str, Any]) -> str:
        url = public_url(settings, scope)
        if url is None:
            raise UnknownAddressError("PUBLIC_URL is not set, and the platform does not tell the address")
        return url

    return issuer


def client_address_of(settings: Settings) -> Callable[[Mapping[str, Any]], str]:
    """The function that gives a client's IP address for a request's ASGI scope, as limits count it."""

    def address(scope: Mapping[str, Any]) -> str:
        peer = parse_address((scope.get("client") or ("",))[0]) or NOWHERE
        passed = _forwarded(scope)
        if lambda_event(scope) is not None and passed[-1:] == [peer]:
            # The function URL writes its own peer behind what the proxies in front of it wrote.
            passed = passed[:-1]
        return _behind_proxies(passed, settings.trusted_proxies) or peer

    return address


def _behind_proxies(passed: Sequence[str | None], proxies: int) -> str | None:
    """Each trusted proxy appends whom it served; what stands before that is whatever the client likes."""
    believed = passed[-proxies:] if proxies else ()
    return believed[0] if believed else None


def _forwarded(scope: Mapping[str, Any]) -> list[str | None]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [parse_address(part) for part in ",".join(values).split(",")] if values else []


def on_loopback(settings: Settings) -> bool:
    """Whether clients use a name of this machine for the server."""
    if settings.public_url is not None:
        return is_loopback(settings.public_url)
    return settings.lambda_function is None and is_loopback(url_of("http", settings.host))


def reachable(settings: Settings) -> bool:
    """Whether other machines can reach the server: by its public URL, or beside that by the address that it binds.

    On Lambda the front alone decides what comes in, by the name in the URL.
    """
    bound = settings.lambda_function is None and not is_loopback(url_of("http", settings.host))
    return bound or not on_loopback(settings)


def lambda_event(scope: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The Lambda event behind a request; None off Lambda."""
    extension = scope.get("extensions", {}).get("aws.lambda")
    return extension["event"] if extension else None


def url_of(scheme: str, host: str, port: int | None = None) -> str:
    """An origin; an IPv6 address gets its brackets."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port is None else f"{scheme}://{name}:{port}"


def _socket_url(scope: Mapping[str, Any]) -> str | None:
    host, port = scope.get("server") or (None, None)
    return url_of("http", host, port) if host and port else None
