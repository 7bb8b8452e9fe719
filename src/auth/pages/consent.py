"""The consent page: which app, from where, where it leads back to, what it may do, and who is asked."""

from typing import Final, NamedTuple
from urllib.parse import urlsplit

from starlette.responses import Response

from auth.pages.forms import session_token
from auth.pages.render import page
from auth.records import Client
from auth.scopes import SCOPES
from auth.server.authorization_request import AuthorizationRequest
from auth.server.redirect_uris import KNOWN_SCHEMES, host_of, is_loopback, is_native, origin_of
from auth.server.server import AuthorizationServer
from auth.server.visit import Visit

ONWARD: Final = ("https:", *(f"{scheme}:" for scheme in sorted(KNOWN_SCHEMES)))
"""Where a client's own site may send the browser on to, with what it was told: another of its sites, or its app.

Chromium holds every later redirect to the form's policy and else stops there without a word, as it would for Claude,
whose site opens `claude:`. The form has nothing that another site could use: what it carries is bound to the session.
"""

UNVERIFIED: Final = "Nobody has checked who made this app: it gave itself this name."
LOOPBACK: Final = "It runs on your own computer, where another program could pass itself off as it."


class Described(NamedTuple):
    """An app, for the person who is asked.

    Attributes:
        name: what it calls itself.
        origin: how it is known here.
        destination: where the browser goes with the answer.
        warnings: what to think of before allowing it.
    """

    name: str
    origin: str
    destination: str
    warnings: tuple[str, ...]


async def consent_page(
    server: AuthorizationServer, visit: Visit, asked: AuthorizationRequest, *, field: str, target: str
) -> Response:
    """Ask somebody who is signed in.

    Args:
        server: what is asked for access.
        visit: who is asked.
        asked: the checked request.
        field: the sealed question, for the form to carry.
        target: the sealed request, for somebody else to sign in and be asked.
    """
    return page(
        server,
        "consent.html",
        form_target=_targets(asked),
        app=describe(asked.client, asked.redirect_uri),
        rights=[SCOPES[scope] for scope in asked.scopes],
        username=visit.user.username,
        field=field,
        target=target,
        token=await session_token(server, visit.cookie),
    )


def describe(client: Client, redirect_uri: str) -> Described:
    """What to say of a client that wants an answer at this verified redirect URI."""
    return Described(client.name, _origin(client), destination(redirect_uri), _warnings(client))


def destination(redirect_uri: str) -> str:
    """Where a verified redirect URI leads."""
    host = host_of(redirect_uri)
    if is_loopback(redirect_uri):
        return f"a program on this computer ({host})"
    return f"an app on this device ({host})" if _opens_app(redirect_uri) else host


def client_host(client_id: str) -> str | None:
    """The site that vouches for a client by its metadata document; None where it has none."""
    return urlsplit(client_id).hostname if client_id.startswith("https://") else None


def _targets(asked: AuthorizationRequest) -> str:
    """Where the form may lead, as a policy names it: to the places that the client registered, and on from there."""
    places = map(origin_of, (asked.redirect_uri, *asked.client.redirect_uris))
    return " ".join(dict.fromkeys((*places, *(() if _opens_app(asked.redirect_uri) else ONWARD))))


def _opens_app(redirect_uri: str) -> bool:
    return is_native(redirect_uri) and not is_loopback(redirect_uri)


def _origin(client: Client) -> str:
    host = client_host(client.id)
    if client.vouched_for:
        return f"Known to this server, published by {host}" if host else "Known to whoever runs this server"
    return f"Described by {host}" if host else "Registered itself; not verified"


def _warnings(client: Client) -> tuple[str, ...]:
    unverified = (UNVERIFIED,) if client.source == "dcr" else ()
    local = bool(client.redirect_uris) and all(is_loopback(uri) for uri in client.redirect_uris)
    return (*unverified, LOOPBACK) if local else unverified
