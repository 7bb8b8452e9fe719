"""The apps that may act for somebody, as the account page shows and disconnects them."""

from typing import Final, NamedTuple

from auth.pages.consent import client_host, destination
from auth.records import Grant, User
from auth.scopes import SCOPES
from auth.server.server import AuthorizationServer

REASON: Final = "disconnected by the user"
AT_ONCE: Final = 100


class App(NamedTuple):
    """A grant, for the person who gave it.

    Attributes:
        name: the app's, as it was when it asked.
        place: where it is from, or where it gets its answers; None where that is not known any more.
        rights: what it may do, in sentences.
        since: epoch seconds.
        last_used: epoch seconds; None if never.
    """

    grant_id: str
    name: str
    place: str | None
    rights: tuple[str, ...]
    since: int
    last_used: int | None


async def connected_apps(server: AuthorizationServer, user: User, after: str | None, limit: int) -> list[App]:
    """A user's apps in the order of their grants' ids.

    Args:
        server: where the grants are.
        user: whose.
        after: the last grant that was shown before.
        limit: so many at most.
    """
    grants = await server.grants.of_user(user.id, after, limit)
    places = {client_id: await _place(server, client_id) for client_id in {grant.client_id for grant in grants}}
    return [_app(grant, places[grant.client_id]) for grant in grants]


async def disconnect(server: AuthorizationServer, user: User, grant_id: str) -> None:
    """End a grant, if it is this user's."""
    grant = await server.grants.find(grant_id)
    if grant is not None and grant.user_id == user.id:
        await server.grants.revoke(grant_id, REASON)


async def disconnect_all(server: AuthorizationServer, user: User) -> None:
    """End all grants of a user."""
    after = None
    while grants := await server.grants.of_user(user.id, after, AT_ONCE):
        for grant in grants:
            await server.grants.revoke(grant.id, REASON)
        after = grants[-1].id


async def _place(server: AuthorizationServer, client_id: str) -> str | None:
    host = client_host(client_id)
    if host is not None:
        return host
    client = await server.clients.find(client_id, fetch=False)
    return destination(client.redirect_uris[0]) if client and client.redirect_uris else None


def _app(grant: Grant, place: str | None) -> App:
    rights = tuple(text for scope, text in SCOPES.items() if scope in grant.scopes)
    return App(grant.id, grant.client_name, place, rights, grant.created, grant.last_used)
