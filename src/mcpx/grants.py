"""`mcpx grants`: what users allowed clients."""

import argparse
from typing import Any

from auth.records import Grant, User
from auth.server.server import AuthorizationServer
from mcp_app.settings import Settings
from mcpx.backend import add_verb, every, existing, run
from mcpx.errors import CommandError
from mcpx.output import moment, show, told
from mcpx.users import all_users

_REASON = "revoked by the operator"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the grammar."""
    nouns = commands.add_parser("grants", help="list and revoke what users allowed")
    verbs = nouns.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = add_verb(verbs, "list", _list, "show the grants in use")
    listing.add_argument("--user", metavar="NAME", help="only this user's")
    revocation = add_verb(verbs, "revoke", _revoke, "end grants; their tokens stop within a minute")
    which = revocation.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID", help="of one grant")
    which.add_argument("--user", metavar="NAME", help="all of this user's")


def _list(options: argparse.Namespace) -> None:
    async def rows(server: AuthorizationServer, _settings: Settings) -> list[dict[str, Any]]:
        users = [await existing(server, options.user)] if options.user else await all_users(server)
        return [_row(user, grant) for user in users for grant in await _grants(server, user)]

    found = sorted(run(options, rows), key=lambda row: (row["user"], row["since"]))
    show(found, as_json=options.json, nothing="There are no grants in use.", aside=("client_id",))


async def _grants(server: AuthorizationServer, user: User) -> list[Grant]:
    return await every(lambda after, limit: server.grants.of_user(user.id, after, limit), lambda grant: grant.id)


def _revoke(options: argparse.Namespace) -> None:
    revoked = run(options, lambda server, _settings: _end(server, options.id, options.user))
    if options.id is not None and not revoked:
        raise CommandError(f"there is no grant {options.id!r} in use. `mcpx grants list` shows which there are.")
    count = "1 grant is" if len(revoked) == 1 else f"{len(revoked)} grants are"
    told({"revoked": revoked}, f"{count} revoked; tokens stop within a minute.", as_json=options.json)


async def _end(server: AuthorizationServer, grant_id: str | None, username: str | None) -> list[str]:
    """End one grant or all of a user's; the ids of those that ended."""
    if grant_id is not None:
        wanted = [grant_id]
    else:
        wanted = [grant.id for grant in await _grants(server, await existing(server, username or ""))]
    return [one for one in wanted if await server.grants.revoke(one, _REASON)]


def _row(user: User, grant: Grant) -> dict[str, Any]:
    return {
        "user": user.username,
        "client": grant.client_name,
        "scopes": list(grant.scopes),
        "since": moment(grant.created),
        "last_used": moment(grant.last_used),
        "id": grant.id,
        "client_id": grant.client_id,
    }
