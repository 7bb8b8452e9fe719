"""Values that leave the server and come back: readable by whoever carries them, and of use only as they were made."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

TAG_BYTES: Final = hashlib.sha256().digest_size


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
    body = _encode(f"{expires}.{value}".encode())
    return f"{body}.{_encode(_tag(key, body))}"


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
    claimed = _decode(tag)
    if not any(hmac.compare_digest(_tag(key, body), claimed) for key in keys):
        raise BrokenSealError
    expires, _, value = _decode(body).decode().partition(".")
    if now >= int(expires):
        raise ExpiredSealError
    return value


def _tag(key: bytes, body: str) -> bytes:
    return hmac.digest(key, body.encode(), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise BrokenSealError from error
