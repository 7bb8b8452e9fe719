"""`create_app`: the one place where the parts of the server are wired together."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

import mcp_app.tools.utility
from auth.server.routes import routes, switched_off
from auth.server.server import AuthorizationServer
from mcp_app.address import issuer_of
from mcp_app.authentication import authenticator, check_modes
from mcp_app.authorization import authorization_server
from mcp_app.clients import Clients
from mcp_app.middleware.access_log import AccessLogMiddleware
from mcp_app.middleware.authentication import AuthenticationMiddleware
from mcp_app.middleware.error_net import ErrorNetMiddleware
from mcp_app.middleware.origin import OriginMiddleware
from mcp_app.middleware.request_id import RequestIdMiddleware
from mcp_app.middleware.security_headers import SecurityHeadersMiddleware
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.telemetry import configure_logging
from mcp_app.tools.registry import Registry, discover
from mcp_app.transport.streamable_http import StreamableHTTP
from mcp_app.web.apps_challenge import apps_challenge_routes
from mcp_app.web.checks import deep_checks
from mcp_app.web.errors import http_error
from mcp_app.web.front import Front
from mcp_app.web.health import Health
from mcp_app.web.protected_resource import protected_resource_routes

logger = logging.getLogger(__name__)


def create_app(
    settings: Settings, registry: Registry | None = None, authorization: AuthorizationServer | None = None
) -> Starlette:
    """The server as an ASGI app, the same behind every door; its lifespan may be entered once.

    Args:
        settings: how to run.
        registry: the tools, resources and prompts to serve; by default the utility tools.
        authorization: what `AUTH_MODE=oauth` works with; by default the authorization server of the settings.

    Raises:
        SettingsError: the settings do not go together.
    """
    configure_logging(settings)
    check_modes(settings)
    registry = registry or Registry(discover(mcp_app.tools.utility))
    secrets = Secrets(settings)
    authorization = authorization or authorization_server(settings, secrets) if settings.signs_in else None
    clients = Clients(settings, secrets)
    mcp = StreamableHTTP(registry, settings, clients, secrets)
    guarded = _guarded(mcp, settings, authorization)
    health = Health(settings, deep_checks(settings, registry, secrets, authorization))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if settings.auth_mode == "noauth":
            logger.warning("AUTH_MODE=noauth: no authentication; anybody who reaches this server can call every tool")
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
            *_authorization_routes(settings, authorization),
        ],
        middleware=_middleware(settings),
        exception_handlers={HTTPException: http_error},
        lifespan=lifespan,
    )
    # Starlette would build the redirect from the Host header, which a client chooses.
    app.router.redirect_slashes = False
    return app


def _guarded(
    mcp: StreamableHTTP, settings: Settings, authorization: AuthorizationServer | None
) -> AuthenticationMiddleware:
    return AuthenticationMiddleware(
        mcp,
        authenticator(settings, authorization),
        issuer=None if authorization is None else issuer_of(settings),
        public_discovery=settings.public_discovery and authorization is not None,
    )


def _authorization_routes(settings: Settings, authorization: AuthorizationServer | None) -> list[Route]:
    if authorization is None:
        return []
    issuer = issuer_of(settings)
    return [*protected_resource_routes(settings.name, issuer), *routes(authorization, issuer)]


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
