"""`mcpx token`: a short-lived access token for scripts."""

import argparse
import sys
from typing import Final, NamedTuple

from auth.records import User
from auth.server.config import MINUTE
from auth.server.resources import default_resource
from auth.server.server import AuthorizationServer
from mcp_app.address import url_of
from mcp_app.settings import Settings
from mcp_app.variable import origin
from mcpx.backend import add_scopes, add_store, existing, run, wanted_scopes
from mcpx.errors import CommandError
from mcpx.users import all_users

CLIENT_ID: Final = "mcpx-token"
CLIENT_NAME: Final = "mcpx token"
_LONGEST: Final = 60


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the grammar."""
    command = commands.add_parser(
        "token",
        help="print a short-lived access token, for scripts",
        description="Print an access token and nothing else on standard output: TOKEN=$(mcpx token --user NAME)",
    )
    command.add_argument("--user", metavar="NAME", help="whose it is (default: the only user there is)")
    add_scopes(command, "what it allows")
    command.add_argument(
        "--minutes", type=_minutes, default=15, metavar="N", help=f"how long it lives, 1 to {_LONGEST} (default: 15)"
    )
    command.add_argument("--url", help="the server's origin (default: PUBLIC_URL, else the address that it binds)")
    add_store(command)
    command.set_defaults(run=_token)


def _minutes(text: str) -> int:
    minutes = int(text) if text.isdecimal() else 0
    if not 1 <= minutes <= _LONGEST:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {_LONGEST}")
    return minutes


def _token(options: argparse.Namespace) -> None:
    settings = Settings.from_environment()
    if settings.takes_provider_tokens and not settings.signs_in and options.url is None:
        raise CommandError(
            f"AUTH_MODE={settings.auth_mode} takes no tokens of this server's own; AUTH_MODE=oauth,provider does."
        )
    issued = run(options, lambda server, settings: _issue(server, settings, options))
    print(issued.token)
    whose = f"{issued.user.username}'s at {issued.issuer}, for {options.minutes} min"
    print(f"{whose}. `mcpx grants revoke {issued.grant}` ends it sooner.", file=sys.stderr)


class _Issued(NamedTuple):
    """A token, whose it is, and what ends it."""

    user: User
    issuer: str
    grant: str
    token: str


async def _issue(server: AuthorizationServer, settings: Settings, options: argparse.Namespace) -> _Issued:
    user = await existing(server, options.user) if options.user else await _only(server)
    if user.disabled:
        raise CommandError(f"{user.username} is disabled. `mcpx users enable {user.username}` changes that.")
    issuer = _issuer(settings, options.url)
    resource, lifetime = default_resource(issuer), options.minutes * MINUTE
    scopes = frozenset(wanted_scopes(server, options))
    grant = await server.grants.issue_direct(
        user, client_id=CLIENT_ID, client_name=CLIENT_NAME, scopes=scopes, resource=resource, lifetime=lifetime
    )
    token = await server.tokens.issue(
        issuer=issuer,
        subject=user.id,
        audience=resource,
        client_id=CLIENT_ID,
        scopes=scopes,
        grant_id=grant.id,
        now=int(server.clock()),
        lifetime=lifetime,
    )
    return _Issued(user, issuer, grant.id, token)


async def _only(server: AuthorizationServer) -> User:
    users = await all_users(server)
    if len(users) != 1:
        raise CommandError("say whose token it is with `--user NAME`; `mcpx users list` shows who there is.")
    return users[0]


def _issuer(settings: Settings, url: str | None) -> str:
    if url is None:
        return settings.public_url or url_of("http", settings.host, settings.port)
    try:
        return origin(url)
    except ValueError as error:
        raise CommandError(f"--url {error}") from None
