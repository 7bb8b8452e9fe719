"""The whole app as `mcpx serve` makes it, in this process: over any store, with a clock that the test moves."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from starlette.types import Receive, Scope, Send

from auth.events import Event
from auth.server.config import Config
from auth.server.server import AuthorizationServer
from mcp_app.app import create_app
from mcp_app.settings import Settings
from store.protocol import Store
from tests.support.auth_server import PLENTY, Clock, Running, Secrets, make_server
from tests.support.gate import PATIENCE
from tests.support.serve import served
from tests.support.signed_in import oauth_settings


@contextmanager
def whole_server(folder: Path, store: Store, clock: Clock, **given: Any) -> Iterator[Running]:
    """Serve the app over a store, with HS256 and cheap passwords, while the block runs; it closes the store.

    Args:
        folder: for what is no record.
        store: with the same clock.
        clock: epoch seconds.
        given: settings that are not the defaults.
    """
    events, secrets = list[Event](), Secrets()
    config = Config(limits=PLENTY, password_cost=4)
    server = make_server(store, clock, config=config, events=events.append, secrets=secrets)
    with serving_app(oauth_settings(folder, **given), Running(server, clock, events, secrets)) as running:
        yield running


@contextmanager
def serving_app(settings: Settings, running: Running) -> Iterator[Running]:
    """Serve the app that goes with an authorization server while the block runs."""
    server: AuthorizationServer = running.server
    app = create_app(settings, authorization=server)

    async def remembering_its_loop(scope: Scope, receive: Receive, send: Send) -> None:
        running.loop = asyncio.get_running_loop()
        await app(scope, receive, send)

    with served(remembering_its_loop) as url, httpx2.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client:
        running.url, running.issuer, running.client = url, settings.public_url or url, client
        yield running
