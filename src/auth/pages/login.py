"""The sign-in page: a form of its own browser, limits, a new session, and back to what it interrupted."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from auth import base64url
from auth.errors import TooManyRequestsError
from auth.loopback import is_loopback
from auth.pages.errors import foreign_page, stale_page
from auth.pages.forms import ForeignFormError, from_browser, own_form, sign_in_token
from auth.pages.render import page, too_often
from auth.records import User
from auth.server.authorization_response import see_other
from auth.server.cookies import BROWSER, SESSION, read_cookie, set_cookie
from auth.server.passed_on import from_elsewhere
from auth.server.return_target import LostTargetError, target
from auth.server.server import AuthorizationServer
from auth.server.visit import signed_in
from auth.sign_in import SignInRefusedError

WRONG: Final = "The username and the password do not belong together. Check both and try again."
BROWSER_BYTES: Final = 32


async def login(server: AuthorizationServer, request: Request, issuer: str) -> Response:
    """Show the sign-in form, or sign somebody in.

    Raises:
        InvalidRequestError: the form cannot be read.
        StoreUnavailableError: the store does not answer.
    """
    try:
        if request.method == "POST":
            return await _sign_in(server, request, issuer)
        sealed = request.query_params.get("continue", "")
        onward = await target(server, sealed)
    except ForeignFormError:
        return foreign_page(server)
    except LostTargetError:
        return stale_page(server)
    if await signed_in(server, request, issuer):
        return see_other(onward)
    return await _form(server, request, issuer, sealed=sealed)


async def _sign_in(server: AuthorizationServer, request: Request, issuer: str) -> Response:
    form = await own_form(request, issuer)
    cookie = read_cookie(request, BROWSER, issuer)
    if cookie is None or not await from_browser(server, form, cookie):
        return stale_page(server)
    sealed, username = form.get("continue", ""), form.get("username", "")
    onward = await target(server, sealed)
    try:
        await server.limits.sign_in(username, server.address(request.scope))
        public = not is_loopback(issuer) or from_elsewhere(request)
        user = await server.users.sign_in(username, form.get("password", ""), public=public)
    except (TooManyRequestsError, SignInRefusedError) as refusal:
        seconds = refusal.retry_after
        return await _form(server, request, issuer, sealed=sealed, username=username, refused=True, seconds=seconds)
    return await begin_session(server, request, issuer, user, onward)


async def begin_session(
    server: AuthorizationServer, request: Request, issuer: str, user: User, onward: str
) -> Response:
    """Sign a user in under a session id that nobody knew before, and go on to a path of this server."""
    before = read_cookie(request, SESSION, issuer)
    session = await server.sessions.open(user)
    if before is not None:
        await server.sessions.close(before)
    response = see_other(onward)
    set_cookie(response, SESSION, issuer, session, server.config.session)
    return response


async def _form(
    server: AuthorizationServer,
    request: Request,
    issuer: str,
    *,
    sealed: str,
    username: str = "",
    refused: bool = False,
    seconds: int | None = None,
) -> Response:
    cookie = read_cookie(request, BROWSER, issuer)
    browser = cookie or base64url.encode(server.randomness(BROWSER_BYTES))
    response = page(
        server,
        "login.html",
        status=200 if not refused else 403 if seconds is None else 429,
        headers={} if seconds is None else {"Retry-After": str(seconds)},
        problem=(WRONG if seconds is None else too_often(seconds)) if refused else None,
        wrong=refused and seconds is None,
        username=username[:64],
        target=sealed,
        token=await sign_in_token(server, browser),
    )
    if cookie is None:
        set_cookie(response, BROWSER, issuer, browser)
    return response
