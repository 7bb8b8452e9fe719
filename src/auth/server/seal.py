"""Values that leave the server and come back: readable by whoever carries them, and of use only as they were made."""

import hmac
from collections.abc import Iterable

from auth import base64url
from auth.server.server import AuthorizationServer


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


async def sealed(server: AuthorizationServer, purpose: str, value: str, seconds: int) -> str:
    """A value under the server's key, which `unsealed` gives back for some seconds."""
    return seal(await server.server_key.current(purpose), value, int(server.clock()) + seconds)


async def unsealed(server: AuthorizationServer, purpose: str, text: str) -> str:
    """The value under a seal of this purpose, also one that another instance made with a newer secret.

    Raises:
        BrokenSealError: it was not made here.
        ExpiredSealError: it was, too long ago.
    """
    try:
        return unseal(await server.server_key.accepted(purpose), text, server.clock())
    except BrokenSealError:
        return unseal(await server.server_key.accepted(purpose, refresh=True), text, server.clock())


def _tag(key: bytes, body: str) -> bytes:
    return hmac.digest(key, body.encode(), "sha256")
