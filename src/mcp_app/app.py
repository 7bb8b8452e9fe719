"""`create_app`: the one place where the parts of the server are wired together."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from auth.server.routes import routes, switched_off
from auth.server.server import AuthorizationServer
from mcp_app.address import issuer_of
from mcp_app.authentication import authenticator, check_modes
from mcp_app.authorization import authorization_server
from mcp_app.challenge import Challenges
from mcp_app.clients import Clients
from mcp_app.middleware.access_log import AccessLogMiddleware
from mcp_app.middleware.authentication import AuthenticationMiddleware
from mcp_app.middleware.error_net import ErrorNetMiddleware
from mcp_app.middleware.origin import OriginMiddleware
from mcp_app.middleware.request_id import RequestIdMiddleware
from mcp_app.middleware.security_headers import SecurityHeadersMiddleware
from mcp_app.notices import notices
from mcp_app.provider import Provider
from mcp_app.provider import provider as provider_of
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.telemetry import configure_logging
from mcp_app.tools.catalogue import catalogue
from mcp_app.tools.registry import Registry
from mcp_app.transport.streamable_http import StreamableHTTP
from mcp_app.web.apps_challenge import apps_challenge_routes
from mcp_app.web.checks import deep_checks
from mcp_app.web.errors import http_error
from mcp_app.web.front import Front
from mcp_app.web.health import Health
from mcp_app.web.protected_resource import Authorities, protected_resource_routes
from mcp_app.web.provider_discovery import provider_discovery_routes

logger = logging.getLogger(__name__)


def create_app(
    settings: Settings,
    registry: Registry | None = None,
    authorization: AuthorizationServer | None = None,
    provider: Callable[[Settings, Clients], Provider] = provider_of,
) -> Starlette:
    """The server as an ASGI app, the same behind every door; its lifespan may be entered once.

    Args:
        settings: how to run.
        registry: the tools, resources and prompts to serve; by default those of the settings.
        authorization: what `AUTH_MODE=oauth` works with; by default the authorization server of the settings.
        provider: makes what `AUTH_MODE=provider` works with; by default the one of the settings.

    Raises:
        SettingsError: the settings do not go together.
    """
    configure_logging(settings)
    check_modes(settings)
    registry = registry or catalogue(settings)
    secrets = Secrets(settings)
    authorization = authorization or authorization_server(settings, secrets) if settings.signs_in else None
    clients = Clients(settings, secrets)
    external = provider(settings, clients) if settings.takes_provider_tokens else None
    mcp = StreamableHTTP(registry, settings, clients, secrets)
    guarded = _guarded(mcp, settings, authorization, external)
    checks = deep_checks(settings, registry, secrets, authorization, external, clients=clients)
    said = notices(settings)
    health = Health(settings, checks, notices=said)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        for notice in said:
            logger.warning("%s", notice)
        try:
            async with mcp.run():
                yield
        finally:
            await clients.aclose()
            if authorization is not None:
                await authorization.store.aclose()

    app = Starlette(
        routes=[
            Route("/", Front(settings, registry, guarded, _unlisted(authorization)), name="front"),
            Route("/mcp", guarded, name="mcp"),
            Route("/healthz", health.get, name="health"),
            *apps_challenge_routes(settings),
            *_authorization_routes(settings, registry, authorization, external),
        ],
        middleware=_middleware(settings),
        exception_handlers={HTTPException: http_error},
        lifespan=lifespan,
    )
    # Starlette would build the redirect from the Host header, which a client chooses.
    app.router.redirect_slashes = False
    return app


def _guarded(
    mcp: StreamableHTTP, settings: Settings, authorization: AuthorizationServer | None, provider: Provider | None
) -> AuthenticationMiddleware:
    return AuthenticationMiddleware(
        mcp,
        authenticator(settings, authorization, provider),
        challenges=_challenges(settings, authorization),
        public_discovery=settings.public_discovery and settings.authority is not None,
    )


def _challenges(settings: Settings, authorization: AuthorizationServer | None) -> Challenges | None:
    if settings.authority == "provider":
        return Challenges(issuer_of(settings), settings.provider_required_scopes, provider=True)
    return None if authorization is None else Challenges(issuer_of(settings), authorization.config.scopes)


def _authorization_routes(
    settings: Settings, registry: Registry, authorization: AuthorizationServer | None, provider: Provider | None
) -> list[Route]:
    if settings.authority is None:
        return []
    issuer, provider_first = issuer_of(settings), settings.authority == "provider"
    authorities = Authorities(settings, registry, authorization, provider)
    return [
        *protected_resource_routes(settings.name, issuer, authorities),
        *(provider_discovery_routes(provider.metadata) if provider is not None and provider_first else ()),
        *(routes(authorization, issuer, discovery=not provider_first) if authorization is not None else ()),
    ]


def _unlisted(authorization: AuthorizationServer | None) -> frozenset[str]:
    return frozenset() if authorization is None else switched_off(authorization)


def _middleware(settings: Settings) -> list[Middleware]:
    """A request's way in; replies pass the same stations backwards, those of the error net included."""
    return [
        Middleware(RequestIdMiddleware),
        Middleware(AccessLogMiddleware),
        Middleware(SecurityHeadersMiddleware, settings),
        Middleware(OriginMiddleware, settings),
        Middleware(ErrorNetMiddleware),
    ]
