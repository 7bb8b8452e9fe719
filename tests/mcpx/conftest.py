"""The command line in a folder of its own."""

import anyio
import pytest

from auth.server.config import Config
from auth.users import Users
from store.sqlite import SqliteStore
from tests.support.cli import Cli


@pytest.fixture
def mcpx(tmp_path):
    return Cli(tmp_path)


def add_users(mcpx: Cli, *names: str) -> list[str]:
    """Users in the file that the commands have by default, made without a process each; their ids."""

    async def add() -> list[str]:
        store = SqliteStore(mcpx.folder / "data/auth.db")
        users = Users(store, Config(password_cost=4))
        try:
            return [(await users.add(name, "correct horse battery")).id for name in names]
        finally:
            await store.aclose()

    return anyio.run(add)
