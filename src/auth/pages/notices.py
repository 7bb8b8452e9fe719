"""What the account page says was done; sealed, so that no link makes it say what was not."""

from typing import Final

from auth.server.seal import BrokenSealError, ExpiredSealError, sealed, unsealed
from auth.server.server import AuthorizationServer

PURPOSE: Final = "notice"

LIFETIME: Final = 60

NOTICES: Final = {
    "disconnected": "The app is disconnected. Within a minute it can do nothing any more.",
    "all-disconnected": "All apps are disconnected. Within a minute they can do nothing any more.",
    "password": "Your password is changed. Every other browser was signed out, and every app disconnected.",
}


async def notice_path(server: AuthorizationServer, done: str) -> str:
    """Where the account page says that something was done, for a minute."""
    return f"/account?done={await sealed(server, PURPOSE, done, LIFETIME)}"


async def notice(server: AuthorizationServer, carried: str | None) -> str | None:
    """What to say; None where nothing was done just now."""
    if not carried:
        return None
    try:
        return NOTICES.get(await unsealed(server, PURPOSE, carried))
    except (BrokenSealError, ExpiredSealError):
        return None
