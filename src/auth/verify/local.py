"""Access tokens of our own authorization server."""

from collections.abc import Callable, Mapping
from typing import Any

from auth.principal import Principal
from auth.server.resources import resources
from auth.server.server import AuthorizationServer
from auth.verified_tokens import InvalidTokenError
from auth.verify.authenticator import RefusedError
from auth.verify.bearer import bearer_token


class LocalAuthenticator:
    """Lets in who carries a token of ours that is for one of our resources and whose grant lives.

    Args:
        server: who issued the tokens.
        issuer: the issuer for a request's ASGI scope.
    """

    def __init__(self, server: AuthorizationServer, issuer: Callable[[Mapping[str, Any]], str]) -> None:
        self._server = server
        self._issuer = issuer

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal:
        """The principal of the request's token.

        Raises:
            RefusedError: there is no token, or it is not good.
            StoreUnavailableError: whether it is good cannot be told now.
        """
        token, issuer, server = bearer_token(scope), self._issuer(scope), self._server
        try:
            claims = await server.tokens.verify(token, issuer=issuer, audiences=resources(issuer), now=server.clock())
        except InvalidTokenError as error:
            raise RefusedError("invalid_token", str(error)) from None
        if not await server.liveness.alive(claims.grant_id, claims.subject, claims.client_id, claims.expires):
            raise RefusedError("invalid_token", "The access token was revoked. Sign in again.")
        return Principal(claims.subject, claims.client_id, claims.scopes)
