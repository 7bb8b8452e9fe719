"""`mcpx clients`: the programs that may ask users, or sign in for themselves."""

import argparse
import sys
from typing import Any

from auth.records import Client
from auth.server.client_metadata import ALL_GRANTS, AUTHORIZATION_CODE, CLIENT_CREDENTIALS, SECRET_METHODS, USER_GRANTS
from auth.server.server import AuthorizationServer
from mcp_app.settings import Settings
from mcpx.backend import add_scopes, add_verb, every, run, wanted_scopes
from mcpx.errors import CommandError
from mcpx.output import moment, show, told


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the grammar."""
    nouns = commands.add_parser("clients", help="add, list and remove OAuth clients")
    verbs = nouns.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_add(verbs)
    add_verb(verbs, "list", _list, "show the clients that were added or registered themselves")
    removal = add_verb(verbs, "remove", _remove, "remove a client; its tokens stop within a minute")
    removal.add_argument("id", metavar="ID", help="its client_id")


def _add_add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = add_verb(verbs, "add", _add, "register a client; prints its client_id and, this once, its secret")
    command.add_argument("--name", required=True, help="what people read when they are asked to allow it")
    command.add_argument(
        "--redirect-uri", action="append", default=[], metavar="URI", help="where users come back to; may be repeated"
    )
    command.add_argument(
        "--grant",
        action="append",
        choices=ALL_GRANTS,
        help=f"what it may use; may be repeated (default: {' and '.join(USER_GRANTS)})",
    )
    add_scopes(command, "what it may ask for")
    kind = command.add_mutually_exclusive_group()
    kind.add_argument("--public", action="store_true", help="it cannot keep a secret, so it gets none")
    kind.add_argument(
        "--auth-method",
        choices=SECRET_METHODS,
        default=SECRET_METHODS[0],
        help=f"how it sends its secret (default: {SECRET_METHODS[0]})",
    )


def _add(options: argparse.Namespace) -> None:
    if not options.name.strip():
        raise CommandError("say what people will read with `--name NAME`.")
    if not options.redirect_uri and AUTHORIZATION_CODE in (options.grant or USER_GRANTS):
        raise CommandError(
            "say where users come back to with `--redirect-uri URI`, or that the client acts for itself with "
            f"`--grant {CLIENT_CREDENTIALS}`."
        )
    client, secret = run(options, lambda server, _settings: server.clients.add(_metadata(server, options)), new=True)
    shown = {"client_id": client.id, **({"client_secret": secret} if secret else {})}
    if options.json:
        told(shown | {name: value for name, value in _row(client).items() if name != "id"}, "", as_json=True)
    else:
        print("\n".join(f"{name}: {value}" for name, value in shown.items()))
    if secret:
        print("The secret is not stored, and is not shown again.", file=sys.stderr)


def _metadata(server: AuthorizationServer, options: argparse.Namespace) -> dict[str, Any]:
    return {
        "client_name": options.name,
        "redirect_uris": options.redirect_uri,
        "grant_types": options.grant or list(USER_GRANTS),
        "scope": " ".join(wanted_scopes(server, options)),
        "token_endpoint_auth_method": "none" if options.public else options.auth_method,
    }


def _list(options: argparse.Namespace) -> None:
    async def clients(server: AuthorizationServer, _settings: Settings) -> list[Client]:
        return await every(server.clients.list, lambda client: client.id)

    rows = sorted((_row(client) for client in run(options, clients)), key=lambda row: str(row["name"]).casefold())
    nothing = "There are no clients yet. Most register themselves; `mcpx clients add --name NAME` registers one."
    show(rows, as_json=options.json, nothing=nothing, aside=("secret", "scopes", "redirect_uris", "created"))


def _remove(options: argparse.Namespace) -> None:
    if not run(options, lambda server, _settings: server.clients.remove(options.id)):
        raise CommandError(f"there is no client {options.id!r}. `mcpx clients list` shows which there are.")
    told({"client_id": options.id, "state": "removed"}, "The client is removed.", as_json=options.json)


def _row(client: Client) -> dict[str, Any]:
    return {
        "id": client.id,
        "name": client.name,
        "source": "added" if client.source == "cli" else "registered itself",
        "secret": client.auth_method if client.confidential else None,
        "grants": list(client.grant_types),
        "scopes": list(client.scopes),
        "redirect_uris": list(client.redirect_uris),
        "created": moment(client.created),
        "last_used": moment(client.last_used),
    }
