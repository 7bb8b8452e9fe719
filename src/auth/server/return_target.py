"""Where a sign-in leads back to: the authorization request that it interrupted, sealed, and never anywhere else."""

from typing import Final

from auth.server.seal import BrokenSealError, ExpiredSealError, sealed, unsealed
from auth.server.server import AuthorizationServer

PURPOSE: Final = "return-target"

LIFETIME: Final = 3600
"""Seconds that somebody may take to sign in."""

ACCOUNT: Final = "/account"


class LostTargetError(Exception):
    """The request that a sign-in was for cannot be gone on with."""


async def sealed_target(server: AuthorizationServer, query: str) -> str:
    """An authorization request's query string, to be handed to the sign-in page."""
    return await sealed(server, PURPOSE, query, LIFETIME)


async def target(server: AuthorizationServer, carried: str | None) -> str:
    """The path and query to go to after a sign-in; without a request the account page.

    Raises:
        LostTargetError: the seal is not good, or too old.
    """
    if not carried:
        return ACCOUNT
    try:
        query = await unsealed(server, PURPOSE, carried)
    except (BrokenSealError, ExpiredSealError):
        raise LostTargetError from None
    return f"/oauth/authorize?{query}"
