"""Seals and form tokens under the server's keys, also while another instance has a newer secret already."""

from auth.server.csrf import form_token, token_fits
from auth.server.seal import BrokenSealError, seal, unseal
from auth.server.server import AuthorizationServer


async def sealed(server: AuthorizationServer, purpose: str, value: str, seconds: int) -> str:
    """A value that `unsealed` gives back for some seconds."""
    return seal(await server.server_key.current(purpose), value, int(server.clock()) + seconds)


async def unsealed(server: AuthorizationServer, purpose: str, text: str) -> str:
    """The value under a seal of this purpose.

    Raises:
        BrokenSealError: it was not made here.
        ExpiredSealError: it was, too long ago.
    """
    try:
        return unseal(await server.server_key.accepted(purpose), text, server.clock())
    except BrokenSealError:
        return unseal(await server.server_key.accepted(purpose, refresh=True), text, server.clock())


async def bound(server: AuthorizationServer, purpose: str, cookie: str) -> str:
    """What a form carries, for `is_bound` to know that it was given to the browser with this cookie."""
    return form_token(await server.server_key.current(purpose), cookie)


async def is_bound(server: AuthorizationServer, purpose: str, cookie: str, token: str) -> bool:
    """Whether a form's token is the cookie's."""
    if token_fits(await server.server_key.accepted(purpose), cookie, token):
        return True
    return token_fits(await server.server_key.accepted(purpose, refresh=True), cookie, token)
