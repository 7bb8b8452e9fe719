"""How a refresh token is written: `grant id . generation . tag`.

The tag is an HMAC over the first two and the grant's seed, under the server's key. So what is stored mints no token,
and a forged one is told from an old one without asking the store for anything but the grant.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import NamedTuple

from auth import base64url
from auth.records import Grant

PURPOSE = "refresh token"
"""What the server's key is derived for."""

_TOKEN = re.compile(r"([0-9a-f]{32})\.(0|[1-9][0-9]{0,9})\.([A-Za-z0-9_-]{43})")


class Presented(NamedTuple):
    """A refresh token as somebody sent it."""

    grant_id: str
    generation: int
    tag: str


def write(key: bytes, grant: Grant) -> str:
    """The current refresh token of a grant."""
    return f"{grant.id}.{grant.generation}.{_tag(key, grant.id, grant.generation, grant.seed)}"


def parse(token: str) -> Presented | None:
    """The parts of a refresh token; None where it cannot be one."""
    found = _TOKEN.fullmatch(token)
    return Presented(found[1], int(found[2]), found[3]) if found else None


def is_ours(presented: Presented, grant: Grant, keys: Iterable[bytes]) -> bool:
    """Whether a token of any generation was made here for this grant, in constant time.

    Args:
        presented: the token.
        grant: what is stored under the token's grant id.
        keys: the server's, those before a rotation included.
    """
    if not grant.seed:
        return False
    made = [_tag(key, grant.id, presented.generation, grant.seed) for key in keys]
    return any(hmac.compare_digest(tag, presented.tag) for tag in made)


def _tag(key: bytes, grant_id: str, generation: int, seed: str) -> str:
    message = f"{grant_id}.{generation}.{seed}".encode()
    return base64url.encode(hmac.digest(key, message, hashlib.sha256))
