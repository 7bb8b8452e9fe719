"""The authorization endpoint (RFC 6749, section 3.1; OAuth 2.1): asks the user on a client's behalf.

Nothing is redirected before client and redirect URI are verified; until then errors are pages. The user is asked
every time.
"""

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from auth.errors import AccessDeniedError, InvalidClientError, InvalidRedirectUriError, InvalidRequestError, OAuthError
from auth.events import Event
from auth.records import Client
from auth.server.authorization_request import (
    Asked,
    AuthorizationRequest,
    asked,
    authorization_request,
    check_form,
    parse_query,
)
from auth.server.authorization_response import code_url, error_url, see_other
from auth.server.consent import ask, asked_here, asked_question
from auth.server.csrf import posted_by_own_page
from auth.server.form import read_form
from auth.server.redirect_uris import check, permitted
from auth.server.return_target import sealed_target
from auth.server.seal import BrokenSealError, ExpiredSealError
from auth.server.server import AuthorizationServer
from auth.server.visit import Visit, signed_in


class Asker(NamedTuple):
    """Who sends a request, and where the answer is to go.

    Attributes:
        verified: whether the redirect URI is known to be the client's. It is not while nobody is signed in and the
            client's metadata document was not fetched before: documents are fetched for users only.
    """

    client: Client
    redirect_uri: str
    verified: bool


async def authorize(server: AuthorizationServer, request: Request, issuer: str) -> Response:
    """Put a client's request before the user, or take the user's answer.

    Raises:
        OAuthError: to be shown as a page; nobody may be redirected.
        StoreUnavailableError: the store does not answer.
    """
    if request.method != "POST":
        return await _begin(server, request, issuer, parse_query(request.scope["query_string"]))
    form = await read_form(request)
    if "consent" in form:
        return await _answer(server, request, issuer, form["consent"], form.get("decision", ""))
    return await _begin(server, request, issuer, asked(list(form.items())))


async def _begin(server: AuthorizationServer, request: Request, issuer: str, wanted: Asked) -> Response:
    visit = await signed_in(server, request, issuer)
    asker = await _asker(server, wanted, fetch=visit is not None)
    if not asker.verified:
        check_form(wanted)
        return await _sign_in_first(server, wanted)
    try:
        checked = authorization_request(wanted, asker.client, asker.redirect_uri, issuer, server.config.scopes)
    except OAuthError as error:
        url = error_url(asker.redirect_uri, error, wanted.state, issuer)
        return _refused(server, asker, url, by_itself=_may_leave(request, visit, asker.client))
    if visit is None:
        return await _sign_in_first(server, wanted)
    return await _question(server, visit, checked, wanted.query())


async def _asker(server: AuthorizationServer, wanted: Asked, *, fetch: bool) -> Asker:
    """The client and its redirect URI.

    Raises:
        OAuthError: one of them is not good; to be shown as a page.
    """
    client_id, redirect_uri = wanted.one("client_id"), wanted.one("redirect_uri")
    if client_id is None or redirect_uri is None:
        raise InvalidRequestError(f"The {'client_id' if client_id is None else 'redirect_uri'} is missing.")
    check(redirect_uri)
    client = await server.clients.find(client_id, fetch=fetch)
    if client is None:
        raise InvalidClientError("The app is not known here. It has to register again.")
    if client.source == "document" and not client.redirect_uris and not fetch:
        return Asker(client, redirect_uri, verified=False)
    if not permitted(client.redirect_uris, redirect_uri):
        raise InvalidRedirectUriError("The redirect URI is not one of this app's.")
    return Asker(client, redirect_uri, verified=True)


async def _sign_in_first(server: AuthorizationServer, wanted: Asked) -> Response:
    return see_other(f"/login?continue={await sealed_target(server, wanted.query())}")


async def _question(server: AuthorizationServer, visit: Visit, checked: AuthorizationRequest, query: str) -> Response:
    from auth.pages.consent import consent_page

    return await consent_page(
        server,
        visit,
        checked,
        field=await ask(server, visit.cookie, query),
        target=await sealed_target(server, query),
    )


def _may_leave(request: Request, visit: Visit | None, client: Client) -> bool:
    """Whether the browser may be sent to a client without the user's having chosen to go there.

    Anybody can register a client, and would have a link to this server that leads anywhere: so not before somebody
    signed in (OAuth 2.1, section 7.12.2). Where the sign-in form led here, the browser would not follow a redirect to
    another site, which that form's policy could not name.
    """
    return client.vouched_for or (visit is not None and request.headers.get("sec-fetch-site") != "same-origin")


def _refused(server: AuthorizationServer, asker: Asker, url: str, *, by_itself: bool) -> Response:
    """Send an error to the client, or let the user follow a link to it."""
    if by_itself:
        return see_other(url)
    from auth.pages.consent import destination
    from auth.pages.errors import back_page

    return back_page(server, url, destination(asker.redirect_uri))


async def _answer(server: AuthorizationServer, request: Request, issuer: str, field: str, decision: str) -> Response:
    from auth.pages.errors import foreign_page, stale_page

    if not posted_by_own_page(request.headers, issuer):
        return foreign_page(server)
    try:
        question = await asked_question(server, field)
    except (BrokenSealError, ExpiredSealError):
        return stale_page(server)
    visit = await signed_in(server, request, issuer)
    if visit is None or not await asked_here(server, question, visit.cookie):
        # Somebody else signed in meanwhile, or signed out: ask whoever is there now.
        return see_other(f"/oauth/authorize?{question.query}")
    return await _decided(server, visit, issuer, parse_query(question.query.encode()), decision)


async def _decided(server: AuthorizationServer, visit: Visit, issuer: str, wanted: Asked, decision: str) -> Response:
    # Checked once more: the client may have changed since the question was asked.
    asker = await _asker(server, wanted, fetch=True)
    try:
        checked = authorization_request(wanted, asker.client, asker.redirect_uri, issuer, server.config.scopes)
        if decision == "deny":
            server.events(Event("consent_denied", {"client_id": asker.client.id, "user_id": visit.user.id}))
            raise AccessDeniedError("The user said no.")
        if decision != "allow":
            raise InvalidRequestError("The user did not decide.")
    except OAuthError as error:
        return see_other(error_url(asker.redirect_uri, error, wanted.state, issuer))
    code = await server.grants.open(
        user=visit.user,
        client=asker.client,
        scopes=checked.scopes,
        resource=checked.resource,
        redirect_uri=checked.redirect_uri,
        challenge=checked.challenge,
    )
    return see_other(code_url(checked.redirect_uri, code, checked.state, issuer))
