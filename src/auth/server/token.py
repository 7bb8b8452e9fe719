"""`POST /oauth/token` (RFC 6749, section 3.2): codes, refresh tokens and client credentials for access tokens."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from auth.errors import (
    InvalidScopeError,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
)
from auth.events import Event
from auth.records import Client, Grant
from auth.server import client_authentication
from auth.server.config import MINUTE
from auth.server.form import read_form, required
from auth.server.resources import default_resource, named_resource
from auth.server.server import AuthorizationServer
from auth.server.token_reply import TokenReply, members, response
from store.protocol import StoreUnavailableError

CLIENT_TOKEN = 15 * MINUTE
"""The longest that a token lives which no user can revoke, in seconds."""

Form = Mapping[str, str]
Serve = Callable[[AuthorizationServer, Form, Client, str], Awaitable[Response]]


async def token(server: AuthorizationServer, request: Request, issuer: str) -> Response:
    """Serve the token endpoint."""
    form = await read_form(request)
    credentials = client_authentication.read(request, form)
    await server.limits.token(credentials.client_id, server.address(request.scope))
    client = await client_authentication.check(server, credentials)
    grant_type = required(form, "grant_type")
    serve = GRANT_TYPES.get(grant_type)
    if serve is None:
        raise UnsupportedGrantTypeError("grant_type is none that is served here.")
    if grant_type not in client.grant_types:
        raise UnauthorizedClientError("The client is not registered for this grant_type.")
    reply = await serve(server, form, client, issuer)
    await _touch(server, client)
    return reply


async def _code(server: AuthorizationServer, form: Form, client: Client, issuer: str) -> Response:
    reply = TokenReply(server, issuer)
    grant = await server.grants.redeem(
        required(form, "code"),
        client=client,
        redirect_uri=required(form, "redirect_uri"),
        verifier=required(form, "code_verifier"),
        resource=named_resource(issuer, form.get("resource")),
        prepare=reply.prepare,
    )
    _issued(server, grant, "authorization_code")
    return reply.response()


async def _refresh(server: AuthorizationServer, form: Form, client: Client, issuer: str) -> Response:
    scopes = _scopes(form)
    reply = TokenReply(server, issuer, scopes)
    grant, _ = await server.grants.refresh(
        required(form, "refresh_token"),
        client=client,
        scopes=scopes,
        resource=named_resource(issuer, form.get("resource")),
        prepare=reply.prepare,
    )
    _issued(server, grant, "refresh_token")
    return reply.response()


async def _client_credentials(server: AuthorizationServer, form: Form, client: Client, issuer: str) -> Response:
    if client.source != "cli" or not client.confidential:
        raise UnauthorizedClientError("Only the operator's own confidential clients may use client_credentials.")
    scopes = _scopes(form) or frozenset(client.scopes)
    if not scopes <= set(client.scopes):
        raise InvalidScopeError("scope is more than the client is registered for.")
    lifetime = min(server.config.client_token, CLIENT_TOKEN)
    issued = await server.tokens.issue(
        issuer=issuer,
        subject=f"client:{client.id}",
        audience=named_resource(issuer, form.get("resource")) or default_resource(issuer),
        client_id=client.id,
        scopes=scopes,
        grant_id=None,
        now=int(server.clock()),
        lifetime=lifetime,
    )
    server.events(Event("token_issued", {"client_id": client.id, "grant_type": "client_credentials"}))
    return response(members(issued, lifetime, scopes))


GRANT_TYPES: Mapping[str, Serve] = {
    "authorization_code": _code,
    "refresh_token": _refresh,
    "client_credentials": _client_credentials,
}


def _scopes(form: Form) -> frozenset[str] | None:
    """What was asked for; None where the client left it to us (RFC 6749, section 3.3)."""
    return frozenset(form.get("scope", "").split()) or None


def _issued(server: AuthorizationServer, grant: Grant, grant_type: str) -> None:
    details = {"client_id": grant.client_id, "grant_type": grant_type, "grant_id": grant.id, "user_id": grant.user_id}
    server.events(Event("token_issued", details))


async def _touch(server: AuthorizationServer, client: Client) -> None:
    """Keep a client that got a token from expiring.

    What the token cost is used up by now, so that a store which fails here must not cost the client its reply; the
    next refresh comes by here again.
    """
    try:
        await server.clients.touch(client)
    except StoreUnavailableError:
        server.events(Event("client_not_touched", {"client_id": client.id}))
