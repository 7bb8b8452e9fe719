"""A set of public keys as an issuer publishes it (RFC 7517, section 5), where one bad key harms no other."""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from auth.keys.algorithms import ALGORITHMS

MOST_KEYS: Final = 100
"""Keys of a set that are looked at."""

PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of private and of symmetric keys (RFC 7518, section 6); a key that is published with one is nobody's."""


class PublishedKey(NamedTuple):
    """One key.

    Attributes:
        kid: None where it has none.
        algorithms: what it may verify, one or more.
        key: what `ALGORITHMS` verifies with.
    """

    kid: str | None
    algorithms: tuple[str, ...]
    key: Any

    def verifies(self, algorithm: str, data: bytes, signature: bytes) -> bool:
        """Whether this key's owner signed these bytes with an algorithm out of `algorithms`."""
        return ALGORITHMS[algorithm].verifies(self.key, data, signature)


def published_keys(document: Mapping[str, Any], algorithms: Collection[str]) -> tuple[PublishedKey, ...]:
    """The keys of a set that are fit for one of these algorithms; the others are left out.

    Raises:
        ValueError: it is no set of keys.
    """
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("it is no set of keys")  # noqa: TRY004 - one kind of error for whatever is wrong
    found = [_key(jwk, algorithms) for jwk in listed[:MOST_KEYS] if isinstance(jwk, dict)]
    return tuple(key for key in found if key is not None)


def _key(jwk: Mapping[str, Any], algorithms: Collection[str]) -> PublishedKey | None:
    fits = tuple(name for name in algorithms if _is_meant_for(jwk, name))
    if not fits:
        return None
    try:
        return PublishedKey(jwk.get("kid"), fits, ALGORITHMS[fits[0]].key(jwk))
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _is_meant_for(jwk: Mapping[str, Any], algorithm: str) -> bool:
    """Whether a key says nothing against verifying with that algorithm (RFC 7517, section 4)."""
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("kty") == ALGORITHMS[algorithm].kty
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", algorithm) == algorithm
        and isinstance(operations, list)
        and "verify" in operations
        and isinstance(jwk.get("kid", ""), str)
        and not PRIVATE & jwk.keys()
    )
