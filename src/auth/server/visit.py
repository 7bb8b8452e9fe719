"""Who uses the browser that a request came from."""

from typing import NamedTuple

from starlette.requests import Request

from auth.records import User
from auth.server.cookies import SESSION, read_cookie
from auth.server.server import AuthorizationServer


class Visit(NamedTuple):
    """A browser with somebody signed in.

    Attributes:
        user: who.
        cookie: of the session; what this browser's forms are bound to.
    """

    user: User
    cookie: str


async def signed_in(server: AuthorizationServer, request: Request, issuer: str) -> Visit | None:
    """The visit that a request belongs to; None where nobody is signed in.

    Raises:
        StoreUnavailableError: that cannot be told now.
    """
    cookie = read_cookie(request, SESSION, issuer)
    user = None if cookie is None else await server.sessions.find(cookie)
    return None if cookie is None or user is None else Visit(user, cookie)
