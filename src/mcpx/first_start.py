"""The first start: who can sign in where nobody was added yet, and what to do before others can reach the server."""

import anyio

from auth.events import ignore
from auth.passwords import LEAST_COST, PUBLISHED, Passwords
from auth.records import User
from auth.server.server import AuthorizationServer
from auth.users import DEFAULT_USERNAME, UsernameTakenError
from mcp_app.address import reachable
from mcp_app.authentication import check_modes
from mcp_app.authorization import authorization_server
from mcp_app.settings import Settings
from store.protocol import StoreUnavailableError

_HOW_TO_SIGN_IN = f"""\
Sign in as {DEFAULT_USERNAME} with the password {PUBLISHED}, which works on this machine only.
Before others can reach the server, add a user of your own, remove that one, and set PUBLIC_URL:

    uv run mcpx users add NAME
    uv run mcpx users remove {DEFAULT_USERNAME}
"""
_HOW_TO_BEGIN = """\
Nobody can sign in yet. Add the first user:

    uv run mcpx users add NAME
"""


def first_start(settings: Settings) -> str:
    """What to tell the person who starts a server about signing in; nothing where there is nothing to do.

    On a laptop where nobody was added yet, `mcpuser` is made. It never is where others reach the server, nor in a
    table, which others may share.

    Raises:
        mcp_app.settings.SettingsError: the settings do not go together.
    """
    check_modes(settings)
    if not settings.signs_in:
        return ""
    return anyio.run(_begin, authorization_server(settings, events=ignore), settings)


def elsewhere(settings: Settings) -> str:
    """Where people sign in who do not sign in here; nothing where they do."""
    if settings.authority != "provider":
        return ""
    return f"The client opens the sign-in page of {settings.provider_issuer}, and comes back with its tokens.\n"


async def _begin(server: AuthorizationServer, settings: Settings) -> str:
    try:
        return await _advice(server, local=settings.auth_table is None and not reachable(settings))
    except StoreUnavailableError as error:
        return f"Nobody can sign in for now, since the store of users gives no answer. {error}\n"
    finally:
        await server.store.aclose()


async def _advice(server: AuthorizationServer, *, local: bool) -> str:
    users = await server.users.list(limit=2)
    if not users and local:
        try:
            users = [await server.users.add_default(public=False)]
        except UsernameTakenError:  # another server began at the same time
            users = await server.users.list(limit=2)
    if len(users) > 1 or not await _published(users):
        return "" if users else _HOW_TO_BEGIN
    return _HOW_TO_SIGN_IN if local else _HOW_TO_BEGIN


async def _published(users: list[User]) -> bool:
    """Whether the only user is the one whose password everybody knows."""
    if [user.username for user in users] != [DEFAULT_USERNAME]:
        return False
    return await Passwords(LEAST_COST).matches(PUBLISHED, users[0].password_hash)
