"""The transport behind the guard, as the app puts them together, for callers whose tokens the test made up."""

from collections.abc import Mapping
from typing import Any

from auth.principal import Principal
from auth.verify.authenticator import RefusedError
from mcp_app.challenge import Challenges
from mcp_app.clients import Clients
from mcp_app.middleware.authentication import AuthenticationMiddleware
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry
from mcp_app.transport.streamable_http import StreamableHTTP

ISSUER = "https://mcp.example.com"
METADATA = f"{ISSUER}/.well-known/oauth-protected-resource/mcp"


class Tokens:
    """An authenticator: each token is one principal's, any other is bad."""

    def __init__(self, known: Mapping[str, Principal]) -> None:
        self._known = known

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal:
        header = dict(scope["headers"]).get(b"authorization")
        if header is None:
            raise RefusedError(None, "Send a token.")
        principal = self._known.get(header.decode().removeprefix("Bearer "))
        if principal is None:
            raise RefusedError("invalid_token", "The token is not good.")
        return principal


class Guarded:
    """An ASGI app: the transport and its guard; a token is the scopes that it carries, with `+` between them."""

    def __init__(self, registry: Registry, *grants: str, public_discovery: bool = False) -> None:
        settings = Settings(auth_mode="oauth", log_level="CRITICAL")
        self.mcp = StreamableHTTP(registry, settings, Clients(settings, Secrets(settings)), Secrets(settings))
        known = {grant: Principal("ann", "app", frozenset(grant.split("+"))) for grant in grants}
        self._guard = AuthenticationMiddleware(
            self.mcp, Tokens(known), challenges=Challenges(lambda _scope: ISSUER), public_discovery=public_discovery
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self._guard(scope, receive, send)
            return
        await receive()
        async with self.mcp.run():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
