"""`mcpx users`: who can sign in."""

import argparse
import time
from typing import Any

from auth.records import User
from auth.server.server import AuthorizationServer
from auth.usernames import canonical
from auth.users import UsernameTakenError
from mcp_app.settings import Settings
from mcpx.backend import add_verb, every, existing, run
from mcpx.errors import CommandError
from mcpx.output import moment, show, told
from mcpx.password import add_password, new_password


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the grammar."""
    nouns = commands.add_parser("users", help="add, list, change and remove the people who sign in")
    verbs = nouns.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, function, summary in (
        ("add", _add, "let somebody sign in"),
        ("passwd", _passwd, "give a user a new password; ends what the old one allowed"),
        ("disable", _disable, "let a user in no more; ends all grants and sessions"),
        ("enable", _enable, "let a user sign in again, also one who is locked"),
        ("remove", _remove, "remove a user; the name is free again"),
    ):
        command = add_verb(verbs, name, function, summary)
        command.add_argument("name", metavar="NAME", help="the username")
        if name in ("add", "passwd"):
            add_password(command)
    add_verb(verbs, "list", _list, "show who there is")


def _add(options: argparse.Namespace) -> None:
    async def free(server: AuthorizationServer, _settings: Settings) -> str:
        name = canonical(options.name)
        if await server.users.find(name) is not None:
            raise _taken(name)
        return name

    async def add(server: AuthorizationServer, _settings: Settings) -> User:
        try:
            return await server.users.add(name, password)
        except UsernameTakenError:
            raise _taken(name) from None

    # Asked for between the two: an event loop takes Ctrl-C for itself, and would leave the prompt waiting.
    name = run(options, free, new=True)
    password = new_password(options)
    user = run(options, add, new=True)
    told(_row(user), f"{user.username} can sign in.", as_json=options.json)


def _taken(name: str) -> CommandError:
    return CommandError(f"there is a user {name!r} already. `mcpx users passwd {name}` gives it another password.")


def _list(options: argparse.Namespace) -> None:
    users = run(options, lambda server, _settings: all_users(server))
    rows = sorted((_row(user) for user in users), key=lambda row: row["name"])
    show(rows, as_json=options.json, nothing="There are no users. `mcpx users add NAME` makes one.")


async def all_users(server: AuthorizationServer) -> list[User]:
    """Every user, in the order of the ids."""
    return await every(server.users.list, lambda user: user.id)


def _passwd(options: argparse.Namespace) -> None:
    user = run(options, lambda server, _settings: existing(server, options.name))
    password = new_password(options)
    user = run(options, lambda server, _settings: server.users.change_password(user, password))
    told(_row(user), f"{user.username} has a new password, and signs in with it from now on.", as_json=options.json)


def _disable(options: argparse.Namespace) -> None:
    async def disable(server: AuthorizationServer, _settings: Settings) -> User:
        return await server.users.disable(await existing(server, options.name))

    user = run(options, disable)
    told(_row(user), f"{user.username} is disabled; tokens of before end within a minute.", as_json=options.json)


def _enable(options: argparse.Namespace) -> None:
    async def enable(server: AuthorizationServer, _settings: Settings) -> User:
        return await server.users.enable(await existing(server, options.name))

    user = run(options, enable)
    told(_row(user), f"{user.username} can sign in.", as_json=options.json)


def _remove(options: argparse.Namespace) -> None:
    async def remove(server: AuthorizationServer, _settings: Settings) -> User:
        user = await existing(server, options.name)
        await server.users.remove(user)
        return user

    user = run(options, remove)
    told(
        {"id": user.id, "name": user.username, "state": "removed"},
        f"{user.username} is removed; tokens of before end within a minute.",
        as_json=options.json,
    )


def _row(user: User) -> dict[str, Any]:
    return {
        "name": user.username,
        "state": _state(user),
        "created": moment(user.created),
        "last_sign_in": moment(user.last_login),
        "id": user.id,
    }


def _state(user: User) -> str:
    if user.disabled:
        return "disabled"
    return f"locked until {moment(user.locked_until)}" if user.locked_until > time.time() else "active"
