"""An authorization server, or its users alone, over a real store, with a clock that the test moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from auth.events import Event
from auth.server.config import Config
from auth.users import Users
from store.sqlite import SqliteStore
from tests.support.auth_server import Clock, Running, auth_server
from tests.support.watched_store import WatchedStore

CONFIG = Config(password_cost=4)


@pytest.fixture
def auth(tmp_path: Path) -> Iterator[Running]:
    """An authorization server, its clock standing still."""
    with auth_server(tmp_path) as running:
        yield running


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(tmp_path, clock):
    watched = WatchedStore(SqliteStore(tmp_path / "auth.db", clock))
    yield watched
    await watched.aclose()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def users(store, clock, events):
    return Users(store, CONFIG, events.append, clock)
