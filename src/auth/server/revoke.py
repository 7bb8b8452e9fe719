"""`POST /oauth/revoke` (RFC 7009): a client gives up a grant of its own, by either kind of token."""

from starlette.requests import Request
from starlette.responses import Response

from auth.errors import UnsupportedTokenTypeError
from auth.events import Event
from auth.records import Client
from auth.server import client_authentication
from auth.server.form import read_form, required
from auth.server.resources import resources
from auth.server.routes import NO_STORE
from auth.server.server import AuthorizationServer

REASON = "revoked by the client"


async def revoke(server: AuthorizationServer, request: Request, issuer: str) -> Response:
    """Serve the revocation endpoint; a token that is not good, or another client's, gets the same 200 (section 2.2)."""
    form = await read_form(request)
    client = await client_authentication.authenticate(server, request, form)
    grant_id = await _grant_id(server, required(form, "token"), client, issuer)
    if grant_id and await server.grants.revoke(grant_id, REASON):
        server.events(Event("token_revoked", {"grant_id": grant_id, "client_id": client.id}))
    return Response(headers=NO_STORE)


async def _grant_id(server: AuthorizationServer, token: str, client: Client, issuer: str) -> str | None:
    """The grant behind a token of this client's.

    Raises:
        UnsupportedTokenTypeError: there is none behind it, and it will end by itself (section 2.2.1).
    """
    grant = await server.grants.of_refresh_token(token, client)
    if grant is not None:
        return grant.id
    from auth.verified_tokens import InvalidTokenError

    try:
        claims = await server.tokens.verify(token, issuer=issuer, audiences=resources(issuer), now=server.clock())
    except InvalidTokenError:
        return None
    if claims.client_id != client.id:
        return None
    if claims.grant_id is None:
        raise UnsupportedTokenTypeError("A client's own token cannot be revoked; it ends within minutes.")
    return claims.grant_id
