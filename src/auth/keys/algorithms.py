"""What tokens of others may be signed with (RFC 7518, sections 3.3 to 3.5): public keys alone, in one table.

A shared secret is not in it, so no public key is ever taken for one; neither is `none`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from auth.base64url import decode
from auth.keys import rsa

LONGEST_RSA: Final = 8192
"""Bits of an RSA key; verifying with a longer one is a way to keep a server busy."""

COORDINATE: Final = 32
"""Bytes of one number in a P-256 key or signature."""


class Algorithm(NamedTuple):
    """One way to sign.

    Attributes:
        kty: of its keys (RFC 7517, section 4.1).
        key: the public key that a JWK holds; raises ValueError, KeyError or TypeError where it holds none that will do.
        verifies: whether a key's owner signed these bytes: `(key, data, signature)`.
    """

    kty: str
    key: Callable[[Mapping[str, Any]], Any]
    verifies: Callable[[Any, bytes, bytes], bool]


def _rsa_key(jwk: Mapping[str, Any]) -> Any:
    key = rsa.from_jwk(jwk)
    if not rsa.SHORTEST <= key.key_size <= LONGEST_RSA:
        raise ValueError("an RSA key of another size")
    return key


def _p256_key(jwk: Mapping[str, Any]) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers

    x, y = decode(jwk["x"]), decode(jwk["y"])
    if jwk["crv"] != "P-256" or {len(x), len(y)} != {COORDINATE}:
        raise ValueError("another curve")
    return EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), SECP256R1()).public_key()


def _pss(key: Any, data: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, data, PSS(MGF1(SHA256()), PSS.DIGEST_LENGTH), SHA256())
    except InvalidSignature:
        return False
    return True


def _ecdsa(key: Any, data: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    if len(signature) != 2 * COORDINATE:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:COORDINATE], signature[COORDINATE:]))
    try:
        key.verify(encode_dss_signature(r, s), data, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "RS256": Algorithm("RSA", _rsa_key, rsa.verifies),
    "PS256": Algorithm("RSA", _rsa_key, _pss),
    "ES256": Algorithm("EC", _p256_key, _ecdsa),
}
"""By the name in a token's header."""
