"""The sandbox's signing keys and its tokens: JWTs by RS256 (RFC 7515, RFC 7518)."""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

_SIZE: Final = 2048


class Keys:
    """RSA keys, the newest of which signs."""

    def __init__(self) -> None:
        self._keys = [generate_private_key(65537, _SIZE)]

    def rotate(self, *, keep_old: bool) -> None:
        """Sign with a new key from now on; of the older ones, keep the last one or none."""
        self._keys = [generate_private_key(65537, _SIZE), *(self._keys[:1] if keep_old else ())]

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWK set (RFC 7517)."""
        return {"keys": [_jwk(key) for key in self._keys]}

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """A token by the newest key; members of `header` replace its own, those that are None are left out."""
        key = self._keys[0]
        members = {"alg": "RS256", "typ": "JWT", "kid": _jwk(key)["kid"], **(header or {})}
        kept = {name: value for name, value in members.items() if value is not None}
        signed = f"{_segment(kept)}.{_segment(claims)}"
        return f"{signed}.{_encode(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"

    def verified(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that one of the keys signed and that has not expired; None for any other text."""
        signed, _, signature = token.rpartition(".")
        if not any(_verifies(key, signed, signature) for key in self._keys):
            return None
        claims = json.loads(_decode(signed.partition(".")[2]))
        expires = claims.get("exp")
        return dict(claims) if isinstance(expires, int | float) and expires > time.time() else None


def _verifies(key: RSAPrivateKey, signed: str, signature: str) -> bool:
    try:
        key.public_key().verify(_decode(signature), signed.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _jwk(key: RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    modulus, exponent = (
        _encode(value.to_bytes((value.bit_length() + 7) // 8, "big")) for value in (numbers.n, numbers.e)
    )
    kid = hashlib.sha256(modulus.encode()).hexdigest()[:16]
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": modulus, "e": exponent}


def _segment(members: Mapping[str, Any]) -> str:
    return _encode(json.dumps(dict(members), separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
