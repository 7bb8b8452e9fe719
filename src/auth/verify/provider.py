"""Access tokens of an external authorization server: JWTs that its published keys verify (RFC 7519, RFC 9068)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from auth.errors import TemporarilyUnavailableError
from auth.keys.jws import Jws
from auth.principal import Principal, ProviderToken
from auth.scopes import READ, TOOLS
from auth.verified_tokens import InvalidTokenError, VerifiedTokens, check_size
from auth.verify.authenticator import RefusedError
from auth.verify.bearer import bearer_token
from auth.verify.provider_claims import Claims, Rules, parsed, read
from auth.verify.provider_keys import Keys, ProviderKeys

OWN: Final = frozenset({READ, TOOLS})
"""What whoever the provider lets in may do with this server's own scopes; a tool's scopes are its own matter."""


class ProviderAuthenticator:
    """Lets in who carries a token that one issuer signed and that is as the rules demand.

    Args:
        rules: what is demanded.
        keys: the issuer's.
        clock: epoch seconds.
        tool_scopes: whether a token's scopes say what its bearer may do; else that is everything.
    """

    def __init__(self, rules: Rules, keys: ProviderKeys, clock: Callable[[], float], *, tool_scopes: bool) -> None:
        self._rules = rules
        self._keys = keys
        self._clock = clock
        self._tool_scopes = tool_scopes
        self._verified = VerifiedTokens[Claims]()

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal:
        """The principal of the request's token.

        Raises:
            RefusedError: there is no token, it is not good, or it allows too little.
            TemporarilyUnavailableError: the keys cannot be had.
        """
        token, rules = bearer_token(scope), self._rules
        try:
            claims = await self._claims(token)
        except InvalidTokenError as error:
            raise RefusedError("invalid_token", str(error)) from None
        if not rules.scopes <= claims.scopes:
            needed = " and ".join(sorted(rules.scopes))
            raise RefusedError(
                "insufficient_scope", f"This server needs the permission {needed}.", 403, scopes=rules.scopes
            )
        passed = ProviderToken(token, rules.issuer, claims.scopes, claims.tenant, claims.expires)
        scopes = claims.scopes | OWN if self._tool_scopes else None
        return Principal(claims.subject, claims.client_id, scopes, passed)

    async def _claims(self, token: str) -> Claims:
        check_size(token)
        try:
            keys = await self._keys.get()
        except TemporarilyUnavailableError:
            parsed(token, self._rules)  # to refuse what is no token of the issuer's takes no keys
            raise
        now = self._clock()
        claims = await self._verified.recall(token, keys, now, lambda: self._verify(token, keys, now))
        if now >= claims.ends:
            raise InvalidTokenError("The access token has expired.")
        return claims

    async def _verify(self, token: str, keys: Keys, now: float) -> Claims:
        parts = parsed(token, self._rules)
        wrong = unsigned(parts, keys)
        if wrong is not None and (renewed := await self._keys.get(refresh=True)) is not keys:
            wrong = unsigned(parts, renewed)
        if wrong is not None:
            raise InvalidTokenError(wrong)
        return read(parts.payload, self._rules, now)


def unsigned(parts: Jws, keys: Keys) -> str | None:
    """Why none of these keys signed a token, in one sentence; None where one did.

    It is the one that the token names; or, where it names none, the only one there is that fits.
    """
    kid, algorithm = parts.header.get("kid"), parts.header["alg"]
    fitting = [key for key in keys if algorithm in key.algorithms and kid in (None, key.kid)]
    if kid is None and len(fitting) > 1:
        return "The access token does not say which key signed it."
    if not fitting:
        return "The access token is signed with a key that its issuer does not publish."
    # Whoever publishes two keys under one name may have used either.
    signed = any(key.verifies(algorithm, parts.signed, parts.signature) for key in fitting)
    return None if signed else "The access token's signature is wrong."
