"""Users over a real store, with a clock that the test moves."""

import pytest

from auth.events import Event
from auth.server.config import Config
from auth.users import Users
from store.sqlite import SqliteStore
from tests.support.auth_server import Clock
from tests.support.watched_store import WatchedStore

CONFIG = Config(password_cost=4)


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
