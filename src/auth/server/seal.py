"""Values that leave the server and come back: readable by whoever carries them, and of use only as they were made."""

import hmac
from collections.abc import Iterable

from auth import base64url


class BrokenSealError(Exception):
    """The value was not made here, or was changed since."""


class ExpiredSealError(Exception):
    """The value was made here, and is too old."""


def seal(key: bytes, value: str, expires: int) -> str:
    """A value that `unseal` gives back until it expires; letters, digits, `-`, `_` and one dot.

    Args:
        key: of this one purpose.
        value: any text; the seal does not hide it.
        expires: epoch seconds.
    """
    body = base64url.encode(f"{expires}.{value}".encode())
    return f"{body}.{base64url.encode(_tag(key, body))}"


def unseal(keys: Iterable[bytes], text: str, now: float) -> str:
    """The value under a seal.

    Args:
        keys: any of them may have made it.
        text: what came back.
        now: epoch seconds.

    Raises:
        BrokenSealError: no key made it.
        ExpiredSealError: its time is over.
    """
    body, _, tag = text.partition(".")
    try:
        claimed = base64url.decode(tag)
    except ValueError:
        raise BrokenSealError from None
    if not any(hmac.compare_digest(_tag(key, body), claimed) for key in keys):
        raise BrokenSealError
    expires, _, value = base64url.decode(body).decode().partition(".")
    if now >= int(expires):
        raise ExpiredSealError
    return value


def _tag(key: bytes, body: str) -> bytes:
    return hmac.digest(key, body.encode(), "sha256")
