"""The forms of the pages: each is bound to the browser that it was given to, and read strictly."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request

from auth.server.csrf import bound, is_bound, posted_by_own_page
from auth.server.form import read_form
from auth.server.server import AuthorizationServer

SESSION_PURPOSE: Final = "session-form"
SIGN_IN_PURPOSE: Final = "sign-in-form"


class ForeignFormError(Exception):
    """A page of another site sent the form."""


async def own_form(request: Request, issuer: str) -> Mapping[str, str]:
    """The fields of a form that one of our own pages sent.

    Raises:
        ForeignFormError: another site's page did.
        InvalidRequestError: it cannot be read.
    """
    if not posted_by_own_page(request.headers, issuer):
        raise ForeignFormError
    return await read_form(request)


async def session_token(server: AuthorizationServer, cookie: str) -> str:
    """What the forms of somebody who is signed in carry."""
    return await bound(server, SESSION_PURPOSE, cookie)


async def sign_in_token(server: AuthorizationServer, cookie: str) -> str:
    """What the sign-in form carries; the cookie is the browser's, as nobody is signed in."""
    return await bound(server, SIGN_IN_PURPOSE, cookie)


async def from_session(server: AuthorizationServer, form: Mapping[str, str], cookie: str) -> bool:
    """Whether a form was given to this session."""
    return await is_bound(server, SESSION_PURPOSE, cookie, form.get("token", ""))


async def from_browser(server: AuthorizationServer, form: Mapping[str, str], cookie: str) -> bool:
    """Whether a sign-in form was given to this browser."""
    return await is_bound(server, SIGN_IN_PURPOSE, cookie, form.get("token", ""))
