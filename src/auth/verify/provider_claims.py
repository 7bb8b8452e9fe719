"""What the tokens of an external issuer say, and whether that is enough; decisions only."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from auth.keys import jws
from auth.verified_tokens import LEEWAY, InvalidTokenError

TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""What `typ` may be, in small letters; it may also be left out."""

FOREIGN: Final = frozenset({"crit", "jwk", "jku", "x5u", "x5c"})
"""Header members that ask for extensions, or bring keys along."""

OTHER_KINDS: Final = frozenset({"at_hash", "c_hash", "events"})
"""Claims of ID tokens, and of what tells of events: a signature of the issuer's does not make an access token."""

LATEST: Final = 2**53
"""Epoch seconds beyond which no number is a time."""

_SCOPES: Final = ("scope", "scp", "scopes")
_TENANTS: Final = ("tenant", "tenant_id", "tid", "org_id")


class Rules(NamedTuple):
    """What is demanded of a token.

    Attributes:
        issuer: its `iss`, exactly.
        audience: must be in its `aud`; None: that is not looked at.
        scopes: it must carry all of them.
        algorithms: what it may be signed with.
    """

    issuer: str
    audience: str | None = None
    scopes: frozenset[str] = frozenset()
    algorithms: tuple[str, ...] = ("RS256",)


class Claims(NamedTuple):
    """What a token says that was verified.

    Attributes:
        tenant: whose data it is about, where it says so.
        expires: epoch seconds.
    """

    subject: str
    client_id: str | None
    scopes: frozenset[str]
    tenant: str | None
    expires: float

    @property
    def ends(self) -> float:
        """Epoch seconds from which on it is not good, whatever else."""
        return self.expires + LEEWAY


def parsed(token: str, rules: Rules) -> jws.Jws:
    """A token taken apart, whose header asks for nothing that is not done here.

    Raises:
        InvalidTokenError: it is malformed, or of another kind.
    """
    try:
        parts = jws.parse(token)
    except jws.MalformedError:
        raise InvalidTokenError("The access token is malformed.") from None
    header = parts.header
    if FOREIGN & header.keys():
        raise InvalidTokenError("The access token's header asks for what is not done here.")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise InvalidTokenError("This is not an access token.")
    if header.get("alg") not in rules.algorithms:
        raise InvalidTokenError("The access token is signed with an algorithm that is not taken here.")
    if not isinstance(header.get("kid", ""), str):
        raise InvalidTokenError("The access token is malformed.")
    return parts


def read(payload: bytes, rules: Rules, now: float) -> Claims:
    """What a token says whose signature is good.

    Args:
        payload: its claims.
        rules: what is demanded, but for the scopes.
        now: epoch seconds.

    Raises:
        InvalidTokenError: it is not good here and now.
    """
    try:
        claims = jws.json_object(payload)
    except jws.MalformedError:
        raise InvalidTokenError("The access token is malformed.") from None
    if claims.get("iss") != rules.issuer:
        raise InvalidTokenError("The access token is from another issuer.")
    _check_kind(claims)
    if rules.audience is not None and rules.audience not in _texts(claims.get("aud")):
        raise InvalidTokenError("The access token is for another audience.")
    expires = _checked_times(claims, now)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise InvalidTokenError("The access token does not say whose it is.")
    return Claims(
        subject=subject,
        client_id=next((text for name in ("client_id", "azp") if (text := _text(claims.get(name)))), None),
        scopes=frozenset(scope for name in _SCOPES for scope in _words(claims.get(name))),
        tenant=next((text for name in _TENANTS if (text := _id(claims.get(name)))), None),
        expires=expires,
    )


def _check_kind(claims: Mapping[str, Any]) -> None:
    if "cnf" in claims:
        raise InvalidTokenError("The access token is bound to its sender, which is not checked here.")
    if claims.get("token_use") == "id" or OTHER_KINDS & claims.keys():
        raise InvalidTokenError("This is not an access token.")


def _checked_times(claims: Mapping[str, Any], now: float) -> float:
    """When a token expires that is good now."""
    expires = _time(claims, "exp")
    begins = [_time(claims, name) for name in ("nbf", "iat") if name in claims]
    if any(moment > now + LEEWAY for moment in begins):
        raise InvalidTokenError("The access token is not valid yet.")
    if now >= expires + LEEWAY:
        raise InvalidTokenError("The access token has expired.")
    return expires


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    # A bool is an int too; the bounds also keep out what is no number, and what no float can hold.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LATEST < value < LATEST:
        raise InvalidTokenError("The access token lacks a time, or has one that is none.")
    return float(value)


def _texts(value: Any) -> Sequence[str]:
    """A claim that is one string or several."""
    values = [value] if isinstance(value, str) else value
    return [text for text in values if isinstance(text, str)] if isinstance(values, list) else []


def _words(value: Any) -> Sequence[str]:
    """A claim that is words between blanks, or a list of words; what is neither allows nothing."""
    return value.split() if isinstance(value, str) else _texts(value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _id(value: Any) -> str | None:
    """An id as text; some issuers have numbers, and two of them must not look like none."""
    return str(value) if type(value) is int else _text(value)
