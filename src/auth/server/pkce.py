"""Proof Key for Code Exchange with S256, the only method that is served (RFC 7636)."""

import hashlib
import hmac
import re

from auth import base64url

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def is_challenge(value: str) -> bool:
    """Whether a value is the S256 of anything: 32 bytes as unpadded base64url (section 4.2)."""
    return _CHALLENGE.fullmatch(value) is not None


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (section 4.2)."""
    return base64url.encode(hashlib.sha256(verifier.encode()).digest())


def proves(verifier: str, challenge: str) -> bool:
    """Whether a verifier is well formed (section 4.1) and the one that the challenge was made of."""
    return _VERIFIER.fullmatch(verifier) is not None and hmac.compare_digest(challenge_of(verifier), challenge)
