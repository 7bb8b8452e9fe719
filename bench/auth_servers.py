"""What the auth benchmark measures: servers with a user, a grant and a token, on SQLite here and on a moto server."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from auth.records import Client, Grant, User
from auth.server.server import AuthorizationServer, Clock
from bench.calls import Call
from bench.variants import free_port
from mcp_app.authorization import authorization_server
from mcp_app.settings import Settings
from store.protocol import Store, Stored
from tests.support.dynamodb import SCHEMA

HERE = "http://127.0.0.1"
ELSEWHERE = "https://mcp.example.com"
"""The origin of a function, which its own event does not decide here."""

PASSWORD = "correct horse battery staple"
REGION = "us-east-1"
SCOPES = ("mcp.read", "mcp.tools")
_LIFETIME = 3600
_OUT_OF_THE_WAY = 10**9
_READY_SECONDS = 60


class Ticking:
    """Epoch seconds that move only when told to."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class CountingStore:
    """A store, and how often each of its grants was read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def get(self, key: str, *, consistent: bool = False) -> Stored | None:
        self._count([key])
        return await self._store.get(key, consistent=consistent)

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, Stored]:
        self._count(keys)
        return await self._store.get_many(keys)

    def _count(self, keys: Sequence[str]) -> None:
        # One read for both: the user comes with the grant.
        if any(key.startswith(("grant#", "user#")) for key in keys):
            self.reads["grant"] += 1


@dataclass(frozen=True)
class Issued:
    """A user's grant and an access token of it."""

    server: AuthorizationServer
    user: User
    grant: Grant
    token: str

    def carried_by(self, call: Call) -> Call:
        """The call, with the token."""
        return carrying(call, self.token)


def carrying(call: Call, token: str) -> Call:
    """The call, with a token."""
    return Call({**call.headers, "authorization": f"Bearer {token}"}, call.body, call.accepts)


def local_settings(folder: Path, **given: Any) -> Settings:
    """A laptop's: an SQLite file, RS256 keys in files beside it."""
    defaults = {"auth_db_path": str(folder / "auth.db"), "public_url": HERE, "log_level": "ERROR"}
    limits = {"token_requests_per_client": _OUT_OF_THE_WAY, "sign_ins_per_user": _OUT_OF_THE_WAY}
    return Settings(**{**defaults, **limits, **given})


def counted(server: AuthorizationServer) -> CountingStore:
    """Count a server's reads from now on; nothing of it was used yet."""
    store = CountingStore(server.store)
    server.store = store
    return store


async def issued(server: AuthorizationServer, issuer: str) -> Issued:
    """Make a user, and a token that is good at the issuer's `/mcp`."""
    user = await server.users.add("bench", PASSWORD)
    resource = f"{issuer}/mcp"
    grant = await server.grants.issue_direct(
        user, client_id="bench", client_name="A bench", scopes=SCOPES, resource=resource, lifetime=_LIFETIME
    )
    token = await server.tokens.issue(
        issuer=issuer,
        subject=user.id,
        audience=resource,
        client_id="bench",
        scopes=frozenset(SCOPES),
        grant_id=grant.id,
        now=int(server.clock()),
        lifetime=_LIFETIME,
    )
    return Issued(server, user, grant, token)


async def registered(server: AuthorizationServer) -> Client:
    """A public client that may ask users."""
    metadata = {
        "client_name": "A bench",
        "redirect_uris": ["https://app.example/callback"],
        "token_endpoint_auth_method": "none",
    }
    client, _ = await server.clients.add(metadata)
    return client


@contextmanager
def aws() -> Iterator[dict[str, str]]:
    """A moto server in a process of its own; the variables by which SDKs find it, set in this process too."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        variables = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        try:
            _wait(port)
            with patch.dict(os.environ, variables):
                yield variables
        finally:
            process.kill()


def function_variables() -> dict[str, str]:
    """What the template gives a function; its table and its key are made."""
    import boto3

    boto3.client("dynamodb").create_table(TableName="auth", **SCHEMA)
    key = boto3.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    secret = {"SERVER_SECRET": "a key that all sandboxes of one bench share"}
    arn = boto3.client("secretsmanager").create_secret(Name="server", SecretString=json.dumps(secret))["ARN"]
    return {
        "AUTH_MODE": "oauth",
        "AUTH_TABLE": "auth",
        "SIGNING_KEY_ARN": key["KeyMetadata"]["Arn"],
        "SERVER_SECRET_ARN": arn,
        "PUBLIC_URL": ELSEWHERE,
    }


def local_server(folder: Path, clock: Clock = time.time, **given: Any) -> tuple[Settings, AuthorizationServer]:
    """A laptop's settings and server."""
    settings = local_settings(folder, **given)
    return settings, authorization_server(settings, clock=clock)


def _wait(port: int) -> None:
    import socket

    ends = time.monotonic() + _READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return
