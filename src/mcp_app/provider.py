"""The external authorization server that the settings describe, and which of them it refuses to run with.

Making it touches no network: the first request that needs its keys or its metadata fetches them.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auth.events import Sink
from auth.loopback import is_loopback
from mcp_app.settings import Settings, SettingsError
from mcp_app.telemetry import log_event

if TYPE_CHECKING:
    from auth.verify.provider import ProviderAuthenticator
    from auth.verify.provider_keys import ProviderKeys
    from auth.verify.provider_metadata import ProviderMetadata
    from mcp_app.clients import Clients

_URLS = (
    "provider_issuer",
    "provider_jwks_uri",
    "provider_metadata_url",
    "provider_authorization_endpoint",
    "provider_token_endpoint",
    "provider_registration_endpoint",
)


@dataclass(frozen=True, slots=True)
class Provider:
    """An external authorization server.

    Attributes:
        issuer: exactly as its tokens name it.
        keys: what verifies its tokens.
        metadata: what it says of itself.
        authenticator: lets in who carries one of its tokens.
    """

    issuer: str
    keys: "ProviderKeys"
    metadata: "ProviderMetadata"
    authenticator: "ProviderAuthenticator"


def provider(
    settings: Settings, clients: "Clients", *, events: Sink = log_event, clock: Callable[[], float] = time.time
) -> Provider:
    """The provider of the settings.

    Args:
        settings: how to run.
        clients: what fetches its documents.
        events: told where they cannot be had; by default it is logged.
        clock: epoch seconds.

    Raises:
        SettingsError: nobody says who it is.
    """
    from auth.verify.provider import ProviderAuthenticator
    from auth.verify.provider_claims import Rules
    from auth.verify.provider_keys import ProviderKeys
    from auth.verify.provider_metadata import ProviderMetadata

    issuer = needed_issuer(settings)

    async def fetch(url: str) -> Mapping[str, Any]:
        return await clients.documents.get(url)

    async def keys_uri() -> str:
        return settings.provider_jwks_uri or await metadata.jwks_uri()

    metadata = ProviderMetadata(
        issuer, fetch, clock, url=settings.provider_metadata_url, stand_in=_stand_in(settings, issuer), events=events
    )
    keys = ProviderKeys(fetch, keys_uri, settings.provider_algorithms, clock, events)
    rules = Rules(
        issuer,
        settings.provider_audience,
        frozenset(settings.provider_required_scopes),
        settings.provider_algorithms,
    )
    authenticator = ProviderAuthenticator(rules, keys, clock, tool_scopes=settings.tool_scopes)
    return Provider(issuer, keys, metadata, authenticator)


def needed_issuer(settings: Settings) -> str:
    """The provider's issuer.

    Raises:
        SettingsError: it is not set.
    """
    if settings.provider_issuer is None:
        raise SettingsError(
            "AUTH_MODE=provider needs PROVIDER_ISSUER, the issuer of the tokens exactly as they name it "
            "(or PRESET=neonpanel)"
        )
    return settings.provider_issuer


def check_provider(settings: Settings) -> None:
    """Refuse a provider whose keys or pages somebody on the way could replace.

    Raises:
        SettingsError: with what to set.
    """
    issuer = needed_issuer(settings)
    check_https(settings, _URLS)
    if settings.signs_in and issuer == settings.public_url:
        raise SettingsError("PROVIDER_ISSUER is this server's own PUBLIC_URL; AUTH_MODE=oauth alone takes its tokens")


def check_https(settings: Settings, attributes: Iterable[str]) -> None:
    """Refuse addresses of other machines to which everybody on the way could listen.

    Args:
        settings: how to run.
        attributes: of those that hold addresses.

    Raises:
        SettingsError: with what to set.
    """
    fields = {field.attribute: field.name for field in Settings.fields()}
    for attribute in attributes:
        url = getattr(settings, attribute)
        if url is not None and not url.startswith("https://") and not is_loopback(url):
            raise SettingsError(f"{fields[attribute]} must begin with https:// unless it is on this machine")


def _stand_in(settings: Settings, issuer: str) -> Mapping[str, Any] | None:
    from auth.verify.provider_metadata import stand_in

    urls = {
        "authorization_endpoint": settings.provider_authorization_endpoint,
        "token_endpoint": settings.provider_token_endpoint,
        "registration_endpoint": settings.provider_registration_endpoint,
        "jwks_uri": settings.provider_jwks_uri,
    }
    return stand_in(issuer, urls, settings.provider_required_scopes)
