"""What the commands work on: the store and keys that the settings name, and what goes wrong there as one sentence."""

import argparse
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from auth.errors import OAuthError
from auth.events import ignore
from auth.passwords import UnfitPasswordError
from auth.records import User
from auth.scopes import SCOPES
from auth.server.server import AuthorizationServer
from auth.user_records import UnknownUserError
from auth.usernames import UnfitUsernameError
from mcp_app.authorization import authorization_server
from mcp_app.settings import Settings
from mcpx.errors import CommandError
from mcpx.output import add_json
from store.protocol import StoreUnavailableError

T = TypeVar("T")
Work = Callable[[AuthorizationServer, Settings], Awaitable[T]]

_PAGE = 100


def add_store(command: argparse.ArgumentParser) -> None:
    """The flags that say which store, instead of the settings."""
    where = command.add_mutually_exclusive_group()
    where.add_argument("--db", metavar="FILE", help="the SQLite file (default: AUTH_DB_PATH)")
    where.add_argument("--table", metavar="NAME", help="the DynamoDB table (default: AUTH_TABLE)")


def add_scopes(command: argparse.ArgumentParser, what: str) -> None:
    """The flag that says which scopes; `what` says what for."""
    command.add_argument(
        "--scope",
        action="append",
        choices=list(SCOPES),
        metavar="SCOPE",
        help=f"{what}; may be repeated (default: all)",
    )


def wanted_scopes(server: AuthorizationServer, options: argparse.Namespace) -> Sequence[str]:
    """The scopes that the flags name, or all that the server offers.

    Raises:
        CommandError: the server does not offer one.
    """
    offered = server.config.scopes
    if missing := [scope for scope in options.scope or () if scope not in offered]:
        raise CommandError(f"the server does not offer {missing[0]}. With TOOL_SCOPES=true it does.")
    return options.scope or offered


def add_verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    function: Callable[[argparse.Namespace], None],
    summary: str,
) -> argparse.ArgumentParser:
    """Add a command over a store that can print JSON.

    Args:
        verbs: of its noun.
        name: the word.
        function: what it runs.
        summary: what it does, without a capital and a full stop.
    """
    command = verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    add_store(command)
    add_json(command)
    command.set_defaults(run=function)
    return command


def run(options: argparse.Namespace, work: Work[T], *, new: bool = False) -> T:
    """What `work` gives, with the server's parts over the store that the flags and settings name.

    Args:
        options: with the flags of `add_store`.
        work: asynchronous.
        new: whether to begin a store where there is none.

    Raises:
        CommandError: it could not be done.
        mcp_app.settings.SettingsError: the settings cannot be used.
    """
    settings = Settings.from_environment(_variables(options))
    # pathlib raises for a folder that may not be looked into.
    if settings.auth_table is None and not new and not os.path.isfile(settings.auth_db_path):  # noqa: PTH113
        raise CommandError(
            f"there is no file {settings.auth_db_path} that you may read. Name another with `--db`, a DynamoDB table "
            "with `--table`, or begin one with `mcpx users add NAME`."
        )
    return anyio.run(_work, authorization_server(settings, events=ignore), settings, work)


async def existing(server: AuthorizationServer, username: str) -> User:
    """The user with a name.

    Raises:
        CommandError: nobody has it.
    """
    user = await server.users.find(username)
    if user is None:
        raise CommandError(f"there is no user {username!r}. `mcpx users list` shows who there is.")
    return user


async def every(page: Callable[[str | None, int], Awaitable[Sequence[T]]], id_of: Callable[[T], str]) -> list[T]:
    """All that a listing holds, page by page.

    Args:
        page: those behind an id, at most so many.
        id_of: what a page is continued by.
    """
    found: list[T] = []
    while more := await page(id_of(found[-1]) if found else None, _PAGE):
        found += more
    return found


async def _work(server: AuthorizationServer, settings: Settings, work: Work[T]) -> T:
    try:
        return await work(server, settings)
    except StoreUnavailableError as error:
        raise CommandError(f"{_place(settings)} gives no answer: {str(error).rstrip('.')}.") from None
    except OAuthError as error:
        raise CommandError(str(error)) from None
    except (UnfitPasswordError, UnfitUsernameError, UnknownUserError) as error:
        raise CommandError(str(error)) from None
    finally:
        await server.store.aclose()


def _place(settings: Settings) -> str:
    return f"the table {settings.auth_table}" if settings.auth_table else f"the file {settings.auth_db_path}"


def _variables(options: argparse.Namespace) -> dict[str, str]:
    """The settings by variable; a store that is named by a flag puts the environment's aside."""
    given = Settings.variables()
    if options.db is not None:
        given.pop("AUTH_TABLE", None)
        given["AUTH_DB_PATH"] = options.db
    if options.table is not None:
        given["AUTH_TABLE"] = options.table
    return given
