"""`POST /oauth/introspect` (RFC 7662): a confidential client asks what became of a token of its own."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth.errors import InvalidClientError
from auth.records import Client
from auth.server import client_authentication
from auth.server.form import read_form, required
from auth.server.resources import resources
from auth.server.routes import NO_STORE
from auth.server.server import AuthorizationServer

INACTIVE: dict[str, Any] = {"active": False}


async def introspect(server: AuthorizationServer, request: Request, issuer: str) -> Response:
    """Serve the introspection endpoint; of a token that is not good, or another client's, it tells nothing."""
    form = await read_form(request)
    client = await client_authentication.authenticate(server, request, form)
    if not client.confidential:
        raise InvalidClientError("Only clients with a secret may ask.")
    token = required(form, "token")
    found = await _refresh_token(server, token, client) or await _access_token(server, token, client, issuer)
    return JSONResponse(found or INACTIVE, headers=NO_STORE)


async def _refresh_token(server: AuthorizationServer, token: str, client: Client) -> dict[str, Any] | None:
    grant = await server.grants.of_refresh_token(token, client)
    if grant is None or not await server.grants.is_active(token, grant):
        return None
    return {
        "active": True,
        "scope": " ".join(grant.scopes),
        "client_id": grant.client_id,
        "sub": grant.user_id,
        "aud": grant.resource,
        "exp": (grant.last_used or grant.created) + server.config.refresh_token,
    }


async def _access_token(server: AuthorizationServer, token: str, client: Client, issuer: str) -> dict[str, Any] | None:
    from auth.verified_tokens import InvalidTokenError

    try:
        claims = await server.tokens.verify(token, issuer=issuer, audiences=resources(issuer), now=server.clock())
    except InvalidTokenError:
        return None
    if claims.client_id != client.id or not await _alive(server, claims.grant_id):
        return None
    return {
        "active": True,
        "scope": " ".join(sorted(claims.scopes)),
        "client_id": claims.client_id,
        "token_type": "Bearer",
        "sub": claims.subject,
        "aud": claims.audience,
        "iss": issuer,
        "exp": claims.expires,
        "jti": claims.token_id,
    }


async def _alive(server: AuthorizationServer, grant_id: str | None) -> bool:
    """Whether an access token's grant is in use; a client's own token, without one, is: the client just proved it."""
    if grant_id is None:
        return True
    grant = await server.grants.find(grant_id)
    return grant is not None and await server.grants.in_use(grant)
