"""Where clients reach this server: from the settings or from the platform, never from what a client sends."""

from collections.abc import Mapping
from typing import Any

from mcp_app.settings import Settings, is_loopback


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
