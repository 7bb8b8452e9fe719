"""`mcpx keys`: what signs access tokens."""

import argparse
import time
from typing import Any

from auth.records import SigningKey
from auth.server.server import AuthorizationServer
from mcp_app.settings import Settings
from mcpx.backend import add_verb, run
from mcpx.output import moment, show, told


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the grammar."""
    nouns = commands.add_parser("keys", help="list and rotate the keys that sign access tokens")
    verbs = nouns.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, function, summary in (
        ("list", _list, "show the keys"),
        ("rotate", _rotate, "sign with a new key; the old one verifies until its last token ended"),
    ):
        add_verb(verbs, name, function, summary)


def _list(options: argparse.Namespace) -> None:
    async def keys(server: AuthorizationServer, _settings: Settings) -> list[SigningKey]:
        return list((await server.keys.key_set()).keys)

    rows = [_row(key) for key in run(options, keys)]
    show(
        rows,
        as_json=options.json,
        nothing="There are no keys yet; the first one is made when it is needed.",
        aside=("private_key",),
    )


def _rotate(options: argparse.Namespace) -> None:
    async def rotate(server: AuthorizationServer, _settings: Settings) -> SigningKey:
        return await server.keys.rotate()

    key = run(options, rotate)
    told(_row(key), f"{key.id} signs from {moment(key.since)} on; nobody has to sign in again.", as_json=options.json)


def _row(key: SigningKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "algorithm": key.algorithm,
        "state": _state(key, time.time()),
        "since": moment(key.since) if key.since else None,
        "until": moment(key.until),
        "private_key": key.private,
    }


def _state(key: SigningKey, now: float) -> str:
    if key.until is not None:
        return "verifies" if now < key.until else "ended"
    return "signs" if key.since <= now else "will sign"
