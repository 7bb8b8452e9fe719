"""Access tokens: JWTs for one resource (RFC 9068), which say nothing about whether their grant still lives."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

from auth import base64url
from auth.keys import jws
from auth.keys.keys import Keys
from auth.records import SigningKey
from auth.verified_tokens import LEEWAY, InvalidTokenError, VerifiedTokens, check_size

TYPE: Final = "at+jwt"
_HEADER: Final = frozenset({"alg", "kid", "typ"})


class Claims(NamedTuple):
    """What a verified token says.

    Attributes:
        subject: the user's id, or `client:ID` where a client acts for itself.
        grant_id: None where a client acts for itself.
        audience: the resource that it is for.
        expires: epoch seconds.
        token_id: `jti`.
    """

    subject: str
    client_id: str
    scopes: frozenset[str]
    grant_id: str | None
    audience: str
    expires: int
    token_id: str


class _Verified(NamedTuple):
    """A token that was verified.

    Attributes:
        ends: epoch seconds from which on it is not good, whatever else.
    """

    issuer: str
    claims: Claims
    ends: float


class AccessTokens:
    """Makes access tokens and verifies them.

    Args:
        keys: what signs them.
        randomness: that many random bytes.
    """

    def __init__(self, keys: Keys, randomness: Callable[[int], bytes]) -> None:
        self._keys = keys
        self._randomness = randomness
        self._verified = VerifiedTokens[_Verified]()

    async def issue(
        self,
        *,
        issuer: str,
        subject: str,
        audience: str,
        client_id: str,
        scopes: Collection[str],
        grant_id: str | None,
        now: int,
        lifetime: int,
    ) -> str:
        """A new token; times are epoch seconds.

        Raises:
            auth.keys.errors.KeyUnavailableError: it cannot be signed now.
            store.protocol.StoreUnavailableError: which key signs cannot be read.
        """
        claims = {
            "iss": issuer,
            "sub": subject,
            "aud": audience,
            "client_id": client_id,
            "scope": " ".join(sorted(scopes)),
            "iat": now,
            "exp": now + lifetime,
            "jti": base64url.encode(self._randomness(16)),
        }
        if grant_id is not None:
            claims["gid"] = grant_id
        return await self._keys.sign(claims, {"typ": TYPE})

    async def verify(self, token: str, *, issuer: str, audiences: Collection[str], now: float) -> Claims:
        """What a token of ours says.

        Args:
            token: as it came.
            issuer: who must have issued it.
            audiences: it must be for one of these.
            now: epoch seconds.

        Raises:
            InvalidTokenError: it is not good.
            store.protocol.StoreUnavailableError: the keys that it may be signed with cannot be read.
        """
        check_size(token)
        keys = await self._keys.verification_keys()
        known = await self._verified.recall(token, keys, now, lambda: self._verify(token, now))
        if known.issuer != issuer:
            raise InvalidTokenError("The access token is from another issuer.")
        if known.claims.audience not in audiences:
            raise InvalidTokenError("The access token is for another resource.")
        if now >= known.ends:
            raise InvalidTokenError("The access token has expired.")
        return known.claims

    async def _verify(self, token: str, now: float) -> _Verified:
        try:
            parts = jws.parse(token)
        except jws.MalformedError:
            raise InvalidTokenError("The access token is malformed.") from None
        key = await self._key(parts.header)
        if not self._keys.verifies(key, parts.signed, parts.signature):
            raise InvalidTokenError("The access token's signature is wrong.")
        return _read(parts.payload, now, key)

    async def _key(self, header: Mapping[str, Any]) -> SigningKey:
        """The key that a header names; the header is a stranger's, and decides nothing but which of our keys it is."""
        # No extension is known here: `crit` asks for one, and `jwk`, `jku`, `x5u` bring keys along.
        if header.keys() != _HEADER or header["typ"] != TYPE:
            raise InvalidTokenError("This is not an access token of this server.")
        kid = header["kid"]
        if not isinstance(kid, str):
            raise InvalidTokenError("The access token is malformed.")
        key = (await self._keys.verification_keys()).get(kid)
        if key is None:
            key = (await self._keys.verification_keys(refresh=True)).get(kid)
        if key is None:
            raise InvalidTokenError("The access token is signed with a key that this server does not have.")
        if header["alg"] != key.algorithm:
            raise InvalidTokenError("The access token is signed with another algorithm.")
        return key


def _read(payload: bytes, now: float, key: SigningKey) -> _Verified:
    try:
        claims = jws.json_object(payload)
    except jws.MalformedError:
        raise InvalidTokenError("The access token is malformed.") from None
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    if max(issued, _time(claims, "nbf") if "nbf" in claims else issued) > now + LEEWAY:
        raise InvalidTokenError("The access token is not valid yet.")
    read = Claims(
        subject=_text(claims, "sub"),
        client_id=_text(claims, "client_id"),
        scopes=frozenset(_text(claims, "scope", empty=True).split()),
        grant_id=_text(claims, "gid") if "gid" in claims else None,
        audience=_text(claims, "aud"),
        expires=expires,
        token_id=_text(claims, "jti"),
    )
    ends = expires + LEEWAY
    return _Verified(_text(claims, "iss"), read, ends if key.until is None else min(ends, key.until))


def _text(claims: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not (value or empty):
        raise InvalidTokenError("The access token lacks a claim, or has one of another kind.")
    return value


def _time(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int:  # a bool is an int too
        raise InvalidTokenError("The access token lacks a claim, or has one of another kind.")
    return value
