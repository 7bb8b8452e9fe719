"""That a form was posted by the page that this server gave to this browser, and by no other."""

import hmac
from collections.abc import Iterable, Mapping
from typing import Final

from auth.server.server import AuthorizationServer

TOKEN_LENGTH: Final = 64


def posted_by_own_page(headers: Mapping[str, str], issuer: str) -> bool:
    """Whether a browser says that a page of this server posted a form.

    `Sec-Fetch-Site` is the browser's own judgement (Fetch Metadata); browsers without it send `Origin` with every form.
    """
    site = headers.get("sec-fetch-site")
    return headers.get("origin") == issuer if site is None else site == "same-origin"


def form_token(key: bytes, cookie: str) -> str:
    """What a form carries that only this browser's cookie fits: `TOKEN_LENGTH` hexadecimal digits.

    Args:
        key: of this form's purpose.
        cookie: the browser's.
    """
    return hmac.digest(key, cookie.encode(), "sha256").hex()


def token_fits(keys: Iterable[bytes], cookie: str, token: str) -> bool:
    """Whether a form's token is the cookie's, under any of the keys."""
    given = token.encode()
    return any(hmac.compare_digest(form_token(key, cookie).encode(), given) for key in keys)


async def bound(server: AuthorizationServer, purpose: str, cookie: str) -> str:
    """What a form carries, for `is_bound` to know that it was given to the browser with this cookie."""
    return form_token(await server.server_key.current(purpose), cookie)


async def is_bound(server: AuthorizationServer, purpose: str, cookie: str, token: str) -> bool:
    """Whether a form's token is the cookie's, also one that another instance made with a newer secret."""
    if token_fits(await server.server_key.accepted(purpose), cookie, token):
        return True
    return token_fits(await server.server_key.accepted(purpose, refresh=True), cookie, token)
