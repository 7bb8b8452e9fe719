"""How an authorization code is written: `grant id . secret`. Only the hash of the secret is stored."""

import hashlib
import hmac
import re
from typing import NamedTuple

from auth import base64url

SECRET_BYTES = 32

_CODE = re.compile(r"([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


class Presented(NamedTuple):
    """A code as somebody sent it."""

    grant_id: str
    secret: str


def new_secret(randomness: bytes) -> str:
    """A code's secret, of `SECRET_BYTES` random bytes."""
    return base64url.encode(randomness)


def write(grant_id: str, secret: str) -> str:
    """The code of a grant."""
    return f"{grant_id}.{secret}"


def parse(code: str) -> Presented | None:
    """The parts of a code; None where it cannot be one."""
    found = _CODE.fullmatch(code)
    return Presented(*found.groups()) if found else None


def hash_of(secret: str) -> str:
    """What is stored of a secret; it has 256 random bits, so that a plain SHA-256 does."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, stored_hash: str) -> bool:
    """Whether a secret is the one that was stored, in constant time."""
    return hmac.compare_digest(hash_of(secret), stored_hash)
