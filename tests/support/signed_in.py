"""The app with users of its own, and tokens for it made as the command line makes them: on the same store."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from auth.records import Grant
from auth.server.server import AuthorizationServer
from mcp_app.app import create_app
from mcp_app.authorization import authorization_server
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry
from tests.support.auth_server import Clock, add_user
from tests.support.serve import connected

HOUR = 3600


def oauth_settings(folder: Path, **given: Any) -> Settings:
    """Settings of a server with users of its own; HS256, which costs no key."""
    defaults = {"auth_mode": "oauth", "log_level": "ERROR", "jwt_secret_key": "k" * 32}
    return Settings(**{**defaults, "auth_db_path": str(folder / "auth.db"), **given})


class SignedIn:
    """A served app, and what the test needs to be somebody in it.

    Attributes:
        client: of the app, where it is served.
        issuer: what the app says that it is.
        clock: the app's.
    """

    client: httpx2.Client

    def __init__(self, issuer: str, settings: Settings, clock: Clock) -> None:
        self.issuer = issuer
        self.clock = clock
        self._settings = settings

    def token(self, *scopes: str, resource: str | None = None, issuer: str | None = None, user: str = "ann") -> str:
        """An access token for a user, who is made if need be."""
        return asyncio.run(self._token(scopes or ("mcp.read", "mcp.tools"), resource, issuer or self.issuer, user))

    def revoke_all(self, user: str = "ann") -> None:
        """End every grant of a user."""
        asyncio.run(self._revoke_all(user))

    async def _token(self, scopes: Collection[str], resource: str | None, issuer: str, user: str) -> str:
        server = self._server()
        owner = await add_user(server.store, user)
        audience = resource or f"{issuer}/mcp"
        grant: Grant = await server.grants.issue_direct(
            owner, client_id="app", client_name="An app", scopes=scopes, resource=audience, lifetime=HOUR
        )
        token = await server.tokens.issue(
            issuer=issuer,
            subject=owner.id,
            audience=audience,
            client_id="app",
            scopes=frozenset(scopes),
            grant_id=grant.id,
            now=int(self.clock()),
            lifetime=HOUR,
        )
        await server.store.aclose()
        return token

    async def _revoke_all(self, user: str) -> None:
        server = self._server()
        for grant in await server.grants.of_user(f"user-{user}"):
            assert await server.grants.revoke(grant.id, "a test")
        await server.store.aclose()

    def _server(self) -> AuthorizationServer:
        return authorization_server(self._settings, clock=self.clock)


@contextmanager
def signed_in(folder: Path, registry: Registry | None = None, **given: Any) -> Iterator[SignedIn]:
    """Serve the app while the block runs."""
    settings, clock = oauth_settings(folder, **given), Clock()
    app = create_app(settings, registry, authorization_server(settings, clock=clock))
    with connected(app) as client:
        made = SignedIn(settings.public_url or str(client.base_url).rstrip("/"), settings, clock)
        made.client = client
        yield made
