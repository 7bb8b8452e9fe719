"""Processes that refresh one token at once, each with an endpoint of its own, on every store.

All of it, 32 processes 20 times over on each store: `pytest -m "dynamodb_local or not dynamodb_local"` and this file.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from auth.records import client_key, encode
from auth.server.config import Config
from auth.server.pkce import challenge_of
from store.protocol import Store
from store.sqlite import SqliteStore
from tests.auth.server.racing import ISSUER
from tests.support.auth_server import PLENTY, Clock, add_user, make_server, public_client
from tests.support.aws import moto
from tests.support.command import environment
from tests.support.dynamodb import Dynamo, create_table, credentials
from tests.support.dynamodb_local import dynamodb_local
from tests.support.dynamodb_proxy import proxy
from tests.support.granting import BOTH, REDIRECT_URI, VERIFIER, current_token
from tests.support.tools import ROOT

CLIENT = public_client()
FULL = (32, 20)


@dataclass
class Place:
    """Where the grant is: for this process as a store, for the others by name."""

    kind: str
    name: str
    store: Store
    clock: Clock
    environment: dict[str, str]


@contextmanager
def place(kind: str, folder: Path) -> Iterator[Place]:
    clock = Clock()
    if kind == "sqlite":
        path = folder / "auth.db"
        yield Place(kind, str(path), SqliteStore(path, clock), clock, {})
        return
    with ExitStack() as stack:
        stack.enter_context(credentials())
        if kind == "moto":
            url = stack.enter_context(proxy(stack.enter_context(moto()))).url
        else:
            url = stack.enter_context(dynamodb_local())
        table: Dynamo = create_table(url)
        yield Place(kind, table.table, table.store(clock), clock, table.environment)


@dataclass
class Crowd:
    """Processes that all do the same at once."""

    process: subprocess.Popen[str]
    clock: Clock

    def refresh(self, token: str) -> list[tuple[int, dict[str, Any]]]:
        """What each of them is answered."""
        assert self.process.stdin
        assert self.process.stdout
        form = {"grant_type": "refresh_token", "client_id": CLIENT.id, "refresh_token": token}
        self.process.stdin.write(json.dumps([self.clock.now, form]) + "\n")
        self.process.stdin.flush()
        return [(status, body) for status, body in json.loads(self.process.stdout.readline())]


@contextmanager
def crowd(where: Place, size: int) -> Iterator[Crowd]:
    command = [sys.executable, "-m", "tests.auth.server.racing", where.kind, where.name, str(size)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, env=environment(where.environment), **pipes)
    try:
        yield Crowd(process, where.clock)
    finally:
        process.communicate()


async def first_token(where: Place) -> str:
    """The refresh token of a new grant."""
    server = make_server(where.store, where.clock, config=Config(limits=PLENTY), events=lambda _event: None)
    user = await add_user(where.store)
    await where.store.insert(client_key(CLIENT.id), encode(CLIENT))
    code = await server.grants.open(
        user=user,
        client=CLIENT,
        scopes=BOTH,
        resource=f"{ISSUER}/mcp",
        redirect_uri=REDIRECT_URI,
        challenge=challenge_of(VERIFIER),
    )
    grant = await server.grants.redeem(code, client=CLIENT, redirect_uri=REDIRECT_URI, verifier=VERIFIER, resource=None)
    await where.store.aclose()
    return await current_token(server.server_key, grant)


@pytest.mark.parametrize(
    ("kind", "size", "rounds"),
    [
        pytest.param("sqlite", *FULL, id="sqlite"),
        pytest.param("moto", 8, 4, id="moto"),
        pytest.param("moto", *FULL, id="moto-full", marks=pytest.mark.dynamodb_local),
        pytest.param("local", *FULL, id="local-full", marks=pytest.mark.dynamodb_local),
    ],
)
def test_must_8_processes_that_refresh_one_token_at_once_stay_one_family(
    kind: str, size: int, rounds: int, tmp_path: Path
) -> None:
    with place(kind, tmp_path) as where:
        token = first = anyio.run(first_token, where)
        with crowd(where, size) as processes:
            for generation in range(1, rounds + 1):
                where.clock.advance(10)
                answers = processes.refresh(token)
                assert [body for status, body in answers if status != 200] == []
                current = {body["refresh_token"] for _, body in answers}
                assert len({body["access_token"] for _, body in answers}) == size
                assert len(current) == 1, "there are two families"
                token = current.pop()
                assert token.split(".")[1] == str(generation), "there was more than one rotation"
            where.clock.advance(61)
            for ended in (first, token):
                answers = processes.refresh(ended)
                assert {(status, body["error"]) for status, body in answers} == {(400, "invalid_grant")}
