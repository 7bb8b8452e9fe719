"""The account page: which apps may act for somebody and how to stop them, a new password, and the way out."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from auth.errors import InvalidRequestError
from auth.pages.connected_apps import connected_apps, disconnect, disconnect_all
from auth.pages.errors import foreign_page, stale_page
from auth.pages.forms import ForeignFormError, from_session, own_form, session_token
from auth.pages.login import begin_session
from auth.pages.new_password import ChangeRefusedError, changed
from auth.pages.notices import notice, notice_path
from auth.pages.render import page
from auth.server.authorization_response import see_other
from auth.server.cookies import SESSION, drop_cookie
from auth.server.server import AuthorizationServer
from auth.server.visit import Visit, signed_in

PAGE: Final = 20
"""Apps on one page."""


async def account(server: AuthorizationServer, request: Request, issuer: str) -> Response:
    """Show the account of whoever is signed in, or change it.

    Raises:
        InvalidRequestError: the form cannot be read.
        StoreUnavailableError: the store does not answer.
    """
    visit = await signed_in(server, request, issuer)
    if visit is None:
        return see_other("/login")
    if request.method != "POST":
        return await _shown(server, request, visit)
    try:
        form = await own_form(request, issuer)
    except ForeignFormError:
        return foreign_page(server)
    if not await from_session(server, form, visit.cookie):
        return stale_page(server)
    return await _change(server, request, issuer, visit, form)


async def logout(server: AuthorizationServer, request: Request, issuer: str) -> Response:
    """Sign out, and let somebody else sign in where a request waits for that.

    Raises:
        InvalidRequestError: the form cannot be read.
        StoreUnavailableError: the store does not answer.
    """
    try:
        form = await own_form(request, issuer)
    except ForeignFormError:
        return foreign_page(server)
    visit = await signed_in(server, request, issuer)
    if visit is not None and not await from_session(server, form, visit.cookie):
        return stale_page(server)
    if visit is not None:
        await server.sessions.close(visit.cookie)
    onward = form.get("continue")
    response = see_other(f"/login?{urlencode({'continue': onward})}" if onward else "/login")
    drop_cookie(response, SESSION, issuer)
    return response


async def _change(
    server: AuthorizationServer, request: Request, issuer: str, visit: Visit, form: Mapping[str, str]
) -> Response:
    match form.get("action"):
        case "disconnect":
            await disconnect(server, visit.user, form.get("grant", ""))
            return see_other(await notice_path(server, "disconnected"))
        case "disconnect-all":
            await disconnect_all(server, visit.user)
            return see_other(await notice_path(server, "all-disconnected"))
        case "password":
            return await _change_password(server, request, issuer, visit, form)
    raise InvalidRequestError("The form asks for nothing that there is.")


async def _change_password(
    server: AuthorizationServer, request: Request, issuer: str, visit: Visit, form: Mapping[str, str]
) -> Response:
    try:
        user = await changed(server, visit.user, form, server.address(request.scope))
    except ChangeRefusedError as refusal:
        return await _shown(server, request, visit, refusal=refusal)
    # The user's other sessions ended with the old password; this browser has just shown the old one.
    return await begin_session(server, request, issuer, user, await notice_path(server, "password"))


async def _shown(
    server: AuthorizationServer, request: Request, visit: Visit, refusal: ChangeRefusedError | None = None
) -> Response:
    apps = await connected_apps(server, visit.user, request.query_params.get("after"), PAGE + 1)
    wait = refusal.retry_after if refusal else None
    return page(
        server,
        "account.html",
        status=200 if refusal is None else 400 if wait is None else 429,
        headers={} if wait is None else {"Retry-After": str(wait)},
        username=visit.user.username,
        apps=apps[:PAGE],
        after=apps[PAGE - 1].grant_id if len(apps) > PAGE else None,
        notice=await notice(server, request.query_params.get("done")),
        refusal=refusal,
        token=await session_token(server, visit.cookie),
    )
