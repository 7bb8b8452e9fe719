"""The whole app with an external issuer, both on loopback, by one clock that the test moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from mcp_app.app import create_app
from mcp_app.authorization import authorization_server
from mcp_app.provider import provider
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry
from tests.support.issuer import Issuer, issuing
from tests.support.mcp_messages import headers, message
from tests.support.serve import connected
from tests.support.signed_in import SignedIn, oauth_settings

ECHO = message("tools/call", {"name": "echo", "arguments": {"message": "hi"}})


class ProviderApp(SignedIn):
    """A served app, its issuer, and own tokens where it has users too."""

    provider: Issuer


def provider_settings(folder: Path, issuer: Issuer, **given: Any) -> Settings:
    """Settings of a server that takes an issuer's tokens."""
    return oauth_settings(folder, **{"auth_mode": "provider", "provider_issuer": issuer.url, **given})


@contextmanager
def provider_app(folder: Path, registry: Registry | None = None, **given: Any) -> Iterator[ProviderApp]:
    """Serve the app and the issuer while the block runs; the issuer publishes metadata."""
    with issuing() as issuer:
        issuer.publish()
        settings = provider_settings(folder, issuer, **given)
        external = partial(provider, clock=issuer.clock)
        own = authorization_server(settings, clock=issuer.clock) if settings.signs_in else None
        with connected(create_app(settings, registry, own, external)) as client:
            made = ProviderApp(settings.public_url or str(client.base_url).rstrip("/"), settings, issuer.clock)
            made.client, made.provider = client, issuer
            yield made


def called(client: httpx2.Client, token: str | None = None, path: str = "/mcp", body: Any = ECHO) -> httpx2.Response:
    """Call `echo`, or send another message, with a token or without."""
    authorization = {} if token is None else {"authorization": f"Bearer {token}"}
    return client.post(path, json=body, headers={**headers(body), **authorization})
