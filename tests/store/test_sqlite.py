"""The SQLite store's own ways: its file, and what happens when something is wrong with it."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
import pytest

from store.protocol import StoreUnavailableError
from store.sqlite import SqliteStore
from tests.store.conftest import NOON
from tests.support.privileges import nobodys_folder

pytestmark = pytest.mark.anyio

BUSY = 0.05


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data/auth.db"


@pytest.fixture
async def store(path, clock):
    made = SqliteStore(path, clock, busy=BUSY)
    yield made
    await made.aclose()


@contextmanager
def unavailable(*, because: str = "") -> Iterator[None]:
    """What is tried in the block ends with the store's own error, which says why and not where."""
    with pytest.raises(StoreUnavailableError) as raised:
        yield
    assert because in str(raised.value)
    assert "/" not in str(raised.value)
    assert "auth.db" not in str(raised.value)
    assert raised.value.retry_after > 0
    assert raised.value.__cause__ is None


def rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


async def test_the_file_is_made_by_the_first_use_and_is_its_owners_alone(store, path):
    assert not path.parent.exists()
    await store.insert("user#1", b"ann")
    assert mode(path.parent) == "0o700"
    assert {mode(file) for file in path.parent.iterdir()} == {"0o600"}
    assert {file.name for file in path.parent.iterdir()} == {"auth.db", "auth.db-wal", "auth.db-shm"}


async def test_a_folder_that_was_there_keeps_its_mode(path, clock):
    path.parent.mkdir(mode=0o755)
    store = SqliteStore(path, clock)
    await store.insert("user#1", b"ann")
    assert (mode(path.parent), mode(path)) == ("0o755", "0o600")
    await store.aclose()


async def test_a_relative_path_means_where_the_process_was_when_it_was_given(tmp_path, clock, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = SqliteStore("data/auth db?mode=memory.db", clock)
    monkeypatch.chdir("/")
    await store.insert("user#1", b"ann")
    assert (tmp_path / "data/auth db?mode=memory.db").exists()
    await store.aclose()


async def test_a_closed_store_leaves_one_file_and_can_be_used_again(store, path):
    await store.insert("user#1", b"ann")
    await store.aclose()
    assert [file.name for file in path.parent.iterdir()] == ["auth.db"]
    assert (await store.get("user#1")).record == b"ann"


async def test_in_memory_a_store_is_alone_and_many_tasks_may_use_it(clock):
    store, other = SqliteStore(":memory:", clock), SqliteStore(":memory:", clock)
    async with anyio.create_task_group() as tasks:
        for number in range(30):
            tasks.start_soon(store.insert, f"user#{number}", b"x")
    assert len(await store.get_many([f"user#{number}" for number in range(30)])) == 30
    assert await other.get("user#1") is None
    await store.aclose()
    await other.aclose()


async def test_writes_take_expired_rows_away(store, path, clock):
    for number in range(20):
        await store.insert(f"grant#{number}", b"x", expires=NOON + 1)
        await store.add(f"rate#{number}", 1, expires=NOON + 1)
    await store.insert("user#1", b"ann")
    await store.add("rate#later", 1, expires=NOON + 60)
    assert (rows(path, "records"), rows(path, "counters")) == (21, 21)
    clock.now = NOON + 1
    for _ in range(2):
        await store.delete("nothing")
    assert (rows(path, "records"), rows(path, "counters")) == (1, 1)
    assert (await store.get("user#1")).record == b"ann"


async def test_while_another_program_holds_the_file_reads_go_on_and_writes_say_so(store, path):
    await store.insert("user#1", b"ann")
    seen = await store.get("user#1")
    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        for write in (
            store.replace(seen, b"bob"),
            store.insert("user#2", b"bob"),
            store.delete("user#1"),
            store.add("rate", 1, expires=NOON + 60),
        ):
            with unavailable(because="locked"):
                await write
        assert await store.get("user#1") == seen
    assert await store.replace(seen, b"ann, older")
    assert await store.add("rate", 1, expires=NOON + 60) == 1


async def test_a_first_use_while_another_program_holds_the_file_works_later(path, clock, store):
    await store.insert("user#1", b"ann")
    late = SqliteStore(path, clock, busy=BUSY)
    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("PRAGMA locking_mode = EXCLUSIVE")
        await store.aclose()
        another.execute("BEGIN EXCLUSIVE")
        with unavailable(because="locked"):
            await late.get("user#1")
    assert (await late.get("user#1")).record == b"ann"
    await late.aclose()


async def test_a_database_that_another_process_is_making_is_waited_for(store, path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        with unavailable(because="locked"):
            await store.get("user#1")
    assert await store.insert("user#1", b"ann")


async def test_many_that_wait_for_a_held_file_all_get_an_answer(store, path):
    await store.insert("user#1", b"ann")
    refused = []

    async def write(number):
        with unavailable(because="locked"):
            await store.insert(f"user#{number}", b"x")
        refused.append(number)

    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        async with anyio.create_task_group() as tasks:
            for number in range(2, 12):
                tasks.start_soon(write, number)
    assert len(refused) == 10
    assert await store.insert("user#2", b"x")


async def test_a_file_that_was_moved_away_is_missed_and_found_again(store, path, tmp_path):
    await store.insert("user#1", b"ann")
    seen = await store.get("user#1")
    for away, where in ((path, tmp_path / "moved.db"), (path.parent, tmp_path / "moved")):
        away.rename(where)
        with unavailable():
            await store.get("user#1")
        with unavailable():
            await store.insert("user#2", b"bob")
        assert not path.exists()
        where.rename(away)
        assert await store.get("user#1") == seen
        assert await store.get("user#2") is None


async def test_a_file_put_in_the_place_of_another_is_used_from_then_on(store, path, clock, tmp_path):
    backup = SqliteStore(tmp_path / "backup.db", clock)
    await backup.insert("user#2", b"of the backup")
    await backup.aclose()
    await store.insert("user#1", b"ann")
    for file in list(path.parent.iterdir()):
        file.unlink()
    (tmp_path / "backup.db").rename(path)
    assert (await store.get("user#2")).record == b"of the backup"
    assert await store.get("user#1") is None
    assert await store.insert("user#3", b"x")
    with closing(sqlite3.connect(path)) as connection:
        assert {key for (key,) in connection.execute("SELECT key FROM records")} == {"user#2", "user#3"}


@pytest.fixture
def nobodys() -> Iterator[Path]:
    with nobodys_folder() as folder:
        yield folder


async def test_a_folder_that_may_not_be_written_has_no_new_store(nobodys, clock):
    store = SqliteStore(nobodys / "auth.db", clock, busy=BUSY)
    nobodys.chmod(0o500)
    with unavailable(because="cannot be made: Permission denied"):
        await store.insert("user#1", b"ann")
    nobodys.chmod(0o700)
    assert await store.insert("user#1", b"ann")
    await store.aclose()


async def test_a_store_in_a_folder_that_became_read_only_works_again_afterwards(nobodys, clock):
    first = SqliteStore(nobodys / "auth.db", clock, busy=BUSY)
    await first.insert("user#1", b"ann")
    await first.aclose()
    (nobodys / "auth.db").chmod(0o400)
    nobodys.chmod(0o500)
    second = SqliteStore(nobodys / "auth.db", clock, busy=BUSY)
    with unavailable():
        await second.insert("user#2", b"bob")
    with unavailable():
        await second.get("user#1")
    nobodys.chmod(0o700)
    (nobodys / "auth.db").chmod(0o600)
    assert (await second.get("user#1")).record == b"ann"
    assert await second.insert("user#2", b"bob")
    await second.aclose()


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_loses_nothing(store):
    await store.insert("user#1", b"ann")
    seen = await store.get("user#1")
    with full_disk(), unavailable():
        await store.replace(seen, b"x" * 100_000)
    assert await store.get("user#1") == seen
    assert await store.replace(seen, b"x" * 100_000)


async def test_a_first_use_on_a_full_disk_works_later(store):
    with full_disk(), unavailable():
        await store.insert("user#1", b"ann")
    assert await store.insert("user#1", b"ann")


async def test_what_is_no_database_is_left_as_it_is(store, path):
    path.parent.mkdir()
    path.write_bytes(b"a letter to a friend\n" * 100)
    with unavailable(because="NOTADB"):
        await store.get("user#1")
    assert path.read_bytes() == b"a letter to a friend\n" * 100


async def test_a_damaged_database_is_no_answer(store, path):
    for number in range(50):
        await store.insert(f"user#{number}", b"x" * 2000)
    await store.aclose()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with unavailable(because="CORRUPT"):
        await store.get("user#1")


async def test_a_database_of_a_later_version_is_refused_and_kept(store, path):
    await store.insert("user#1", b"ann")
    await store.aclose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with unavailable(because="schema 2; this version knows 1"):
        await store.get("user#1")
    assert rows(path, "records") == 1


async def test_another_programs_database_is_refused_and_kept(store, path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE users (id INTEGER)")
    before = path.read_bytes()
    with unavailable(because="another program"):
        await store.insert("user#1", b"ann")
    assert path.read_bytes() == before


async def test_a_write_that_fails_leaves_nothing_half_done(store):
    with pytest.raises(OverflowError):
        await store.insert("user#1", b"ann", expires=2**70)
    assert await store.get("user#1") is None
    assert await store.insert("user#1", b"ann")
