"""Every path of the authorization server, and the one place where what goes wrong becomes a reply."""

import importlib
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from auth.errors import OAuthError, TemporarilyUnavailableError
from auth.events import Event
from auth.server.resources import PATHS
from auth.server.server import AuthorizationServer
from store.protocol import StoreUnavailableError

if TYPE_CHECKING:
    Serve = Callable[[AuthorizationServer, Request, str], Awaitable[Response]]

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

IssuerOf = Callable[[Mapping[str, Any]], str]


class Place(NamedTuple):
    """Where an endpoint is, and the function that serves it: `(server, request, issuer) -> response`.

    Attributes:
        function: `module:name`, imported by the first request, so that no cold start pays for another's endpoint.
        page: whether people see it, so that its errors are pages too.
    """

    name: str
    path: str
    methods: tuple[str, ...]
    function: str
    page: bool = False


DISCOVERY = tuple(
    (f"{name}{path.replace('/', '_')}", f"/.well-known/{document}{path}")
    for name, document in (
        ("oauth_discovery", "oauth-authorization-server"),
        ("openid_discovery", "openid-configuration"),
    )
    for path in PATHS  # clients that take a resource's URL for the issuer look there
)
"""Names and paths of the authorization server's metadata."""

PLACES = (
    Place("oauth_authorize", "/oauth/authorize", ("GET", "POST"), "auth.server.authorize:authorize", page=True),
    Place("oauth_token", "/oauth/token", ("POST",), "auth.server.token:token"),
    Place("oauth_revoke", "/oauth/revoke", ("POST",), "auth.server.revoke:revoke"),
    Place("oauth_register", "/oauth/register", ("POST",), "auth.server.register:register"),
    Place("oauth_introspect", "/oauth/introspect", ("POST",), "auth.server.introspect:introspect"),
    Place("oauth_userinfo", "/oauth/userinfo", ("GET", "POST"), "auth.server.userinfo:userinfo"),
    Place("oauth_openapi", "/oauth/openapi.json", ("GET",), "auth.server.openapi:openapi"),
    Place("login", "/login", ("GET", "POST"), "auth.pages.login:login", page=True),
    Place("logout", "/logout", ("POST",), "auth.pages.account:logout", page=True),
    Place("account", "/account", ("GET", "POST"), "auth.pages.account:account", page=True),
    Place("jwks", "/.well-known/jwks.json", ("GET",), "auth.server.jwks:jwks"),
    *(Place(name, path, ("GET",), "auth.server.metadata:authorization_server") for name, path in DISCOVERY),
)


def routes(server: AuthorizationServer, issuer: IssuerOf, *, discovery: bool = True) -> list[Route]:
    """The authorization server as routes.

    Args:
        server: what they work with.
        issuer: the issuer for a request's ASGI scope.
        discovery: whether its metadata is served; another's may be, at the same paths.
    """
    left_out = frozenset() if discovery else frozenset(name for name, _ in DISCOVERY)
    return [
        Route(place.path, Endpoint(server, issuer, place), methods=list(place.methods), name=place.name)
        for place in PLACES
        if place.name not in left_out
    ]


def switched_off(server: AuthorizationServer) -> frozenset[str]:
    """Names of the routes that only say that there is nothing to be had; nobody should be pointed to them."""
    off = {"jwks": server.keys.algorithm != "RS256", "oauth_register": not server.config.registration}
    return frozenset(name for name, is_off in off.items() if is_off)


class Endpoint:
    """One endpoint as an ASGI app."""

    def __init__(self, server: AuthorizationServer, issuer: IssuerOf, place: Place) -> None:
        self._server = server
        self._issuer = issuer
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        try:
            response = await self._function()(self._server, request, self._issuer(scope))
        except OAuthError as error:
            self._report(error)
            response = self._refusal(error)
        except StoreUnavailableError as error:
            self._report(error)
            unavailable = TemporarilyUnavailableError(
                "The server cannot reach its store. Try again.", error.retry_after
            )
            response = self._refusal(unavailable)
        await response(scope, receive, send)

    def _function(self) -> "Serve":
        module, _, name = self._place.function.partition(":")
        function: Serve = getattr(importlib.import_module(module), name)
        return function

    def _report(self, error: Exception) -> None:
        """Tell the operator what a client is only told the kind of."""
        if isinstance(error, StoreUnavailableError | TemporarilyUnavailableError):
            details = {"endpoint": self._place.name, "reason": str(error)}
            self._server.events(Event("unavailable", details, alarming=True))

    def _refusal(self, error: OAuthError) -> Response:
        if not self._place.page:
            return error_reply(error)
        from auth.pages.errors import error_page

        return error_page(self._server, error)


def error_reply(error: OAuthError) -> JSONResponse:
    """An error as an OAuth client reads it (RFC 6749, section 5.2)."""
    headers = dict(NO_STORE)
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="mcpx"'
    return JSONResponse({"error": error.code, "error_description": error.description}, error.status, headers)
