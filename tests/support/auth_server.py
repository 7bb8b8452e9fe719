"""A real authorization server on loopback, over SQLite, with a clock that the test moves."""

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from starlette.applications import Starlette

from auth.events import Event
from auth.keys.keys import Keys
from auth.keys.server_key import SealingSecrets, ServerKey
from auth.records import Client, User, client_key, encode, user_key
from auth.server.config import Config, Limits
from auth.server.routes import routes
from auth.server.server import AuthorizationServer
from store.protocol import Store
from store.sqlite import SqliteStore
from tests.support.gate import PATIENCE
from tests.support.serve import served

T = TypeVar("T")

START = 1_800_000_000
"""What the clock says first, epoch seconds."""

PLENTY = Limits(
    sign_ins_per_user=10_000,
    sign_ins_per_address=10_000,
    token_requests_per_client=10_000,
    registrations_per_address=10_000,
)
"""Limits that no test meets by accident."""

SECRET = "the server's secret, long enough for anything"


class Clock:
    """Epoch seconds that move only when the test says so."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass; a negative number is a clock that was set back."""
        self.now += seconds


@dataclass
class Secrets:
    """The server's secrets, for a test to rotate."""

    current: str = SECRET
    previous: str | None = None

    async def __call__(self, *, refresh: bool = False) -> SealingSecrets:
        return SealingSecrets(self.current, self.previous)

    def rotate(self, secret: str) -> None:
        """Seal with another secret from now on."""
        self.current, self.previous = secret, self.current


@dataclass
class Running:
    """An authorization server that answers on loopback.

    Attributes:
        server: the server itself; use it through `call`, which runs in the server's own event loop.
        events: what it reported, oldest first.
        secrets: what its server key is made of.
        url: where it answers.
        issuer: its issuer; `url` unless another was asked for.
        client: an HTTP client of it.
    """

    server: AuthorizationServer
    clock: Clock
    events: list[Event]
    secrets: Secrets
    url: str = ""
    issuer: str = ""
    loop: asyncio.AbstractEventLoop | None = None
    client: httpx2.Client = field(init=False)

    def call(self, function: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        """What an async function gives, run in the server's event loop while the test waits."""
        assert self.loop

        async def run() -> T:
            return await function(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(PATIENCE)

    def names(self) -> list[str]:
        """The names of the events so far."""
        return [event.name for event in self.events]

    def user(self, name: str = "alice", **changes: Any) -> User:
        """A user made without the cost of a password hash; nobody can sign in as it."""
        return self.call(add_user, self.server.store, name, **changes)

    def add(self, client: Client) -> Client:
        """Store a client."""
        self.call(self.server.store.insert, client_key(client.id), encode(client))
        return client


def make_server(
    store: Store,
    clock: Callable[[], float],
    *,
    config: Config,
    events: Callable[[Event], None],
    secrets: Secrets | None = None,
    **more: Any,
) -> AuthorizationServer:
    """An authorization server with HS256 keys, which cost nothing to make."""
    keys = Keys(
        store,
        folder=None,
        kms_key=None,
        hmac_secret=SECRET.encode(),
        access_token=config.access_token,
        clock=clock,
    )
    server_key = ServerKey(secrets or Secrets())
    parts: dict[str, Any] = {"keys": keys, "server_key": server_key, "config": config, **more}
    return AuthorizationServer(store, address=lambda scope: scope["client"][0], events=events, clock=clock, **parts)


@contextlib.contextmanager
def auth_server(
    folder: Path,
    *,
    config: Config | None = None,
    clock: Clock | None = None,
    issuer: str | None = None,
    store: Store | None = None,
    **more: Any,
) -> Iterator[Running]:
    """Serve every endpoint of `auth.server.routes` while the block runs.

    Args:
        folder: for the database; the test's `tmp_path`.
        config: with limits that are out of the way and cheap passwords, if not given.
        clock: stands still, if not given.
        issuer: what the server says that it is; its URL on loopback, if not given.
        store: SQLite in the folder, if not given; closed at the end.
        more: handed to `AuthorizationServer`, such as `documents` or other `keys`.
    """
    clock, events, secrets = clock or Clock(), list[Event](), Secrets()
    made = store or SqliteStore(folder / "auth.db", clock)
    config = config or Config(limits=PLENTY, password_cost=4)
    server = make_server(made, clock, config=config, events=events.append, secrets=secrets, **more)
    running = Running(server, clock, events, secrets)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        running.loop = asyncio.get_running_loop()
        yield
        await made.aclose()

    app = Starlette(routes=routes(server, lambda _scope: running.issuer), lifespan=lifespan)
    with served(app) as url, httpx2.Client(base_url=url, trust_env=False, verify=False, timeout=PATIENCE) as client:
        running.url, running.issuer, running.client = url, issuer or url, client
        yield running


async def add_user(store: Store, name: str = "alice", **changes: Any) -> User:
    """Store a user without a password; its id is made of its name."""
    user = User(f"user-{name}", name, 0, "no password", START)._replace(**changes)
    await store.insert(user_key(user.id), encode(user))
    return user


def public_client(client_id: str = "app", **changes: Any) -> Client:
    """A client without a secret."""
    made = Client(
        id=client_id,
        name="An app",
        source="dcr",
        redirect_uris=("https://app.example/callback",),
        grant_types=("authorization_code", "refresh_token"),
        scopes=("mcp.read", "mcp.tools"),
        auth_method="none",
        secret_hash=None,
        created=START,
    )
    return made._replace(**changes)


def confidential_client(client_id: str = "backend", secret: str = "backend-secret", **changes: Any) -> Client:
    """A client of the operator's, with a secret, for every grant type."""
    theirs: dict[str, Any] = {
        "source": "cli",
        "grant_types": ("authorization_code", "refresh_token", "client_credentials"),
        "auth_method": "client_secret_basic",
        "secret_hash": hashlib.sha256(secret.encode()).hexdigest(),
    }
    return public_client(client_id, **{**theirs, **changes})


def claims(token: str) -> Mapping[str, Any]:
    """What a JWT says, unverified."""
    payload = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return decoded
