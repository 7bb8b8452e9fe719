"""The stores that one suite holds to one contract."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from store.protocol import Store
from store.sqlite import SqliteStore
from tests.support.aws import moto
from tests.support.dynamodb import create_table, credentials
from tests.support.dynamodb_local import dynamodb_local
from tests.support.dynamodb_proxy import proxy

NOON = 1_800_000_000


class Clock:
    """Epoch seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Backend:
    """One place where records are, for any number of stores.

    Attributes:
        open: another store on it.
        kind: `sqlite` or `dynamodb`.
        place: the file or the table.
        environment: what another process needs beside them.
    """

    open: Callable[[Callable[[], float]], Store]
    kind: str
    place: str
    environment: dict[str, str]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto() as upstream, proxy(upstream) as front:
        yield front.url


@pytest.fixture(scope="session")
def local_url() -> Iterator[str]:
    with dynamodb_local() as url:
        yield url


@pytest.fixture(params=["sqlite", "moto", pytest.param("local", marks=pytest.mark.dynamodb_local)])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    if request.param == "sqlite":
        path = tmp_path / "data/auth.db"
        yield Backend(lambda clock: SqliteStore(path, clock), "sqlite", str(path), {})
        return
    with credentials():
        dynamo = create_table(request.getfixturevalue(f"{request.param}_url"))
        yield Backend(dynamo.store, "dynamodb", dynamo.table, dynamo.environment)


@pytest.fixture
async def store(backend: Backend, clock: Clock) -> AsyncIterator[Store]:
    made = backend.open(clock)
    yield made
    await made.aclose()


@pytest.fixture
async def other(backend: Backend, clock: Clock) -> AsyncIterator[Store]:
    """A second store in the same place, as another instance of the server has it."""
    made = backend.open(clock)
    yield made
    await made.aclose()
