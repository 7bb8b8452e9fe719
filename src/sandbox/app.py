"""The sandbox as an ASGI app: NeonPanel's addresses, and the sandbox's own."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Mount, Route

from sandbox.api.errors import not_allowed, not_found
from sandbox.api.routes import api_routes
from sandbox.entrance import Entrance
from sandbox.failing import Drop
from sandbox.oauth.authorize import authorize
from sandbox.oauth.metadata import jwks, metadata
from sandbox.oauth.register import register, registered
from sandbox.oauth.token import token
from sandbox.oauth.user_jwt import introspect, user_jwt
from sandbox.pages.control import control, faults, heal
from sandbox.received import API
from sandbox.sandbox import Sandbox

_OPEN = [Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])]


def create_app(sandbox: Sandbox, drop: Drop) -> Entrance:
    """The app of a sandbox; `drop` closes connections."""
    app = Starlette(routes=_routes(), exception_handlers={404: not_found, 405: not_allowed})
    app.state.sandbox = sandbox
    return Entrance(app, sandbox, drop)


def _routes() -> list[BaseRoute]:
    return [
        Route("/", control),
        Route("/sandbox/faults", faults, methods=["POST"]),
        Route("/sandbox/heal", heal, methods=["POST"]),
        Route("/oauth2/authorize", authorize, methods=["GET", "POST"]),
        Route("/auth/user-jwt", user_jwt, methods=["POST"]),
        Route("/auth/introspect", introspect, methods=["POST"]),
        Mount(API, routes=api_routes()),
        Mount("/.well-known", routes=_well_known(), middleware=_OPEN),
        Mount("/oauth2", routes=_open_oauth(), middleware=_OPEN),
    ]


def _well_known() -> list[Route]:
    return [
        Route("/oauth-authorization-server", metadata),
        Route("/openid-configuration", metadata),
        Route("/jwks.json", jwks),
    ]


def _open_oauth() -> list[Route]:
    return [
        Route("/token", token, methods=["POST"]),
        Route("/register", register, methods=["POST"]),
        Route("/register/{client_id}", registered),
    ]
