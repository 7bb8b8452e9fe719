"""Bearer tokens of two issuers: each is for exactly one authenticator, which decides."""

from collections.abc import Mapping
from typing import Any

from auth.keys import jws
from auth.principal import Principal
from auth.verified_tokens import LONGEST
from auth.verify.authenticator import Authenticator
from auth.verify.bearer import bearer_token


class ByIssuer:
    """Asks the one whose tokens name an issuer, or else the other one; never both.

    The name is not verified here. Whoever is asked verifies it with all the rest, so that a false one gains nothing.

    Args:
        issuer: exactly as tokens name it.
        named: asked about its tokens.
        other: asked about all others, and about what is no token.
    """

    def __init__(self, issuer: str, named: Authenticator, other: Authenticator) -> None:
        self._issuer = issuer
        self._named = named
        self._other = other

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal:
        """The principal of the request's token.

        Raises:
            RefusedError: there is no token, or it is not good.
            OAuthError, StoreUnavailableError: whether it is good cannot be told now.
        """
        issuer = claimed_issuer(bearer_token(scope))
        return await (self._named if issuer == self._issuer else self._other).authenticate(scope)


def claimed_issuer(token: str) -> Any:
    """The `iss` of a token, unverified; None where nothing can be read."""
    if len(token) > LONGEST or not token.isascii():
        return None
    try:
        return jws.json_object(jws.parse(token).payload).get("iss")
    except jws.MalformedError:
        return None
