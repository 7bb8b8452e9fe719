"""RSA public keys: as JWKs (RFC 7518, section 6.3), their ids, and what they verify (RS256, section 3.3)."""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from auth.base64url import decode, encode

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALGORITHM = "RS256"
SHORTEST = 2048


def to_jwk(key: "RSAPublicKey") -> dict[str, str]:
    """A public key as the members of a JWK."""
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}


def from_jwk(jwk: Mapping[str, str]) -> "RSAPublicKey":
    """The public key that a JWK holds.

    Raises:
        ValueError: its numbers are no RSA key.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    modulus, exponent = (int.from_bytes(decode(jwk[name]), "big") for name in ("n", "e"))
    return RSAPublicNumbers(exponent, modulus).public_key()


def thumbprint(jwk: Mapping[str, str]) -> str:
    """The id of a key: RFC 7638's thumbprint, so that equal keys have equal ids wherever they are."""
    text = json.dumps({name: jwk[name] for name in ("e", "kty", "n")}, separators=(",", ":"), sort_keys=True)
    return encode(hashlib.sha256(text.encode()).digest())


def verifies(key: "RSAPublicKey", data: bytes, signature: bytes) -> bool:
    """Whether the key's owner signed these bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, data, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))
