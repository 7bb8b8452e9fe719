"""The successful reply of the token endpoint (RFC 6749, section 5.1)."""

from typing import Any

from starlette.responses import JSONResponse

from auth.errors import InvalidTargetError
from auth.records import Grant
from auth.server.resources import resources
from auth.server.routes import NO_STORE
from auth.server.server import AuthorizationServer


class TokenReply:
    """Tokens for a grant, made before what they cost is consumed.

    Args:
        server: what signs them.
        issuer: theirs.
        scopes: what the access token is to carry; None: all that was granted.
    """

    def __init__(self, server: AuthorizationServer, issuer: str, scopes: frozenset[str] | None = None) -> None:
        self._server = server
        self._issuer = issuer
        self._scopes = scopes
        self._members: dict[str, Any] = {}

    async def prepare(self, grant: Grant, refresh_token: str | None) -> None:
        """Make the reply for a grant as it will be.

        Raises:
            InvalidTargetError: the grant is for a server by another name than this.
        """
        if grant.resource not in resources(self._issuer):
            raise InvalidTargetError("The grant is for another server's address.")
        scopes = frozenset(grant.scopes) if self._scopes is None else self._scopes
        lifetime = self._server.config.access_token
        token = await self._server.tokens.issue(
            issuer=self._issuer,
            subject=grant.user_id,
            audience=grant.resource,
            client_id=grant.client_id,
            scopes=scopes,
            grant_id=grant.id,
            now=int(self._server.clock()),
            lifetime=lifetime,
        )
        self._members = members(token, lifetime, scopes)
        if refresh_token:
            self._members["refresh_token"] = refresh_token

    def response(self) -> JSONResponse:
        """What was prepared last."""
        return response(self._members)


def members(access_token: str, lifetime: int, scopes: frozenset[str]) -> dict[str, Any]:
    """What a reply says of an access token that lives for so many seconds."""
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": " ".join(sorted(scopes)),
    }


def response(reply: dict[str, Any]) -> JSONResponse:
    """A reply that nobody keeps."""
    return JSONResponse(reply, headers=NO_STORE)
