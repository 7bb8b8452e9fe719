"""`create_app`: the one place where the parts of the server are wired together."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

import mcp_app.tools.utility
from auth.verify.authenticator import Authenticator
from auth.verify.noauth import NoAuthenticator
from mcp_app.address import reachable
from mcp_app.clients import Clients
from mcp_app.middleware.access_log import AccessLogMiddleware
from mcp_app.middleware.authentication import AuthenticationMiddleware
from mcp_app.middleware.error_net import ErrorNetMiddleware
from mcp_app.middleware.origin import OriginMiddleware
from mcp_app.middleware.request_id import RequestIdMiddleware
from mcp_app.middleware.security_headers import SecurityHeadersMiddleware
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings, SettingsError
from mcp_app.telemetry import configure_logging
from mcp_app.tools.registry import Registry, discover
from mcp_app.transport.streamable_http import StreamableHTTP
from mcp_app.web.checks import deep_checks
from mcp_app.web.errors import http_error
from mcp_app.web.front import Front
from mcp_app.web.health import Health

logger = logging.getLogger(__name__)


def create_app(settings: Settings, registry: Registry | None = None) -> Starlette:
    """The server as an ASGI app, the same behind every door; its lifespan may be entered once.

    Args:
        settings: how to run.
        registry: the tools, resources and prompts to serve; by default the utility tools.

    Raises:
        SettingsError: the settings do not go together.
    """
    configure_logging(settings)
    authenticator = _authenticator(settings)
    registry = registry or Registry(discover(mcp_app.tools.utility))
    secrets = Secrets(settings)
    clients = Clients(settings, secrets)
    mcp = StreamableHTTP(registry, settings, clients, secrets)
    health = Health(settings, deep_checks(settings, registry, secrets))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if settings.auth_mode == "noauth":
            logger.warning("AUTH_MODE=noauth: no authentication; anybody who reaches this server can call every tool")
        try:
            async with mcp.run():
                yield
        finally:
            await clients.aclose()

    app = Starlette(
        routes=[
            Route("/", Front(settings, registry, mcp), name="front"),
            Route("/mcp", mcp, name="mcp"),
            Route("/healthz", health.get, name="health"),
        ],
        middleware=_middleware(settings, authenticator),
        exception_handlers={HTTPException: http_error},
        lifespan=lifespan,
    )
    # Starlette would build the redirect from the Host header, which a client chooses.
    app.router.redirect_slashes = False
    return app


def _middleware(settings: Settings, authenticator: Authenticator) -> list[Middleware]:
    """A request's way in; replies pass the same stations backwards, those of the error net included."""
    return [
        Middleware(RequestIdMiddleware),
        Middleware(AccessLogMiddleware),
        Middleware(SecurityHeadersMiddleware, settings),
        Middleware(OriginMiddleware, settings),
        Middleware(ErrorNetMiddleware),
        Middleware(AuthenticationMiddleware, authenticator),
    ]


def _authenticator(settings: Settings) -> Authenticator:
    if settings.auth_mode != "noauth":
        raise SettingsError(
            f"AUTH_MODE={settings.auth_mode} comes with a later version; until then AUTH_MODE=noauth "
            "(`--auth noauth`) lets everybody call every tool"
        )
    if reachable(settings) and not settings.allow_public_noauth:
        raise SettingsError(
            "AUTH_MODE=noauth would let anybody call every tool of a server that other machines can reach; "
            "set ALLOW_PUBLIC_NOAUTH=true if that is meant"
        )
    return NoAuthenticator()
