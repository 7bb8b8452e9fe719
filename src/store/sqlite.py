"""The embedded store: one SQLite file for a laptop, a container with a volume, or several processes on one machine."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio.to_thread

from store.limits import check_keys, check_name, check_record, counter_name, listable, storable
from store.protocol import Stored
from store.sqlite_file import BUSY, SqliteFile

Result = TypeVar("Result")

PRUNED: Final = 16
"""Expired rows that a write takes away at most: more than it adds, so that they never pile up."""

_GET: Final = """
    SELECT key, record, version, expires, owner FROM records
    WHERE key = :key AND (expires IS NULL OR expires > :now)"""
_LIST: Final = """
    SELECT key, record, version, expires, owner FROM records
    WHERE owner = :owner AND key > :after AND (expires IS NULL OR expires > :now)
    ORDER BY key LIMIT :limit"""
_INSERT: Final = """
    INSERT INTO records (key, record, version, expires, owner) VALUES (:key, :record, :version, :expires, :owner)
    ON CONFLICT (key) DO UPDATE SET
        record = excluded.record, version = excluded.version, expires = excluded.expires, owner = excluded.owner
    WHERE records.expires <= :now"""
_REPLACE: Final = """
    UPDATE records SET record = :record, version = :version, expires = :expires
    WHERE key = :key AND version = :seen AND (expires IS NULL OR expires > :now)"""
_DELETE: Final = "DELETE FROM records WHERE key = :key"
_ADD: Final = """
    INSERT INTO counters (name, count, expires) VALUES (:name, :n, :expires)
    ON CONFLICT (name) DO UPDATE SET
        count = excluded.count + CASE WHEN counters.expires > :now THEN counters.count ELSE 0 END,
        expires = CASE WHEN counters.expires > :now THEN counters.expires ELSE excluded.expires END"""
_COUNT: Final = "SELECT count FROM counters WHERE name = :name"
_PRUNE: Final = (
    "DELETE FROM records WHERE rowid IN (SELECT rowid FROM records WHERE expires <= :now LIMIT :pruned)",
    "DELETE FROM counters WHERE rowid IN (SELECT rowid FROM counters WHERE expires <= :now LIMIT :pruned)",
)


class SqliteStore:
    """Records in an SQLite file; see `store.protocol.Store`.

    Several processes and threads may use one file. Nothing is opened before the first use.

    Args:
        path: the file, made at first use together with its folder; `:memory:` keeps everything in this process.
        clock: epoch seconds.
        busy: seconds that a write waits for another's to end.
    """

    def __init__(self, path: str | Path, clock: Callable[[], float] = time.time, *, busy: float = BUSY) -> None:
        self._file = SqliteFile(path, busy)
        self._clock = clock

    async def get(self, key: str, *, consistent: bool = False) -> Stored | None:  # noqa: ARG002 (as the protocol has it)
        """The record under a key; every read is consistent."""
        return (await self.get_many([key])).get(key)

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, Stored]:
        """Up to 100 records, by key."""
        check_keys(len(keys))
        wanted = [key for key in keys if storable(key)]
        now = self._clock()

        def read() -> dict[str, Stored]:
            with self._file.reading() as connection:
                rows = (connection.execute(_GET, {"key": key, "now": now}).fetchone() for key in wanted)
                return {row[0]: Stored(*row) for row in rows if row}

        return await anyio.to_thread.run_sync(read) if wanted else {}

    async def insert(self, key: str, record: bytes, *, expires: int | None = None, owner: str | None = None) -> bool:
        """Write a record where there is none; whether it was written."""
        check_name("key", key)
        if owner is not None:
            check_name("owner", owner)
        return await self._write_record(_INSERT, record, key=key, expires=expires, owner=owner)

    async def replace(self, seen: Stored, record: bytes, *, expires: int | None = None) -> bool:
        """Write over a record if it is still what was seen; whether it was written."""
        return await self._write_record(_REPLACE, record, key=seen.key, expires=expires, seen=seen.version)

    async def delete(self, key: str) -> None:
        """Remove a record, if it exists."""
        if storable(key):
            await self._write(_DELETE, {"key": key}, lambda _: None)

    async def list(self, owner: str, *, after: str | None = None, limit: int = 100) -> Sequence[Stored]:
        """An owner's records in the order of their keys, those behind `after`, at most `limit`."""
        if not listable(owner, after):
            return ()
        wanted = {"owner": owner, "after": after or "", "limit": limit, "now": self._clock()}

        def read() -> Sequence[Stored]:
            with self._file.reading() as connection:
                return [Stored(*row) for row in connection.execute(_LIST, wanted)]

        return await anyio.to_thread.run_sync(read)

    async def add(self, counter: str, n: int, *, expires: int) -> int:
        """Add to a counter; what it is then."""
        name = counter_name(counter)

        def count(cursor: sqlite3.Cursor) -> int:
            row = cursor.execute(_COUNT, {"name": name}).fetchone()
            return int(row[0])

        return await self._write(_ADD, {"name": name, "n": n, "expires": expires}, count)

    async def aclose(self) -> None:
        """Close the file."""
        await anyio.to_thread.run_sync(self._file.close)

    async def _write_record(self, statement: str, record: bytes, **values: Any) -> bool:
        check_record(record)
        written = {"record": record, "version": secrets.token_hex(16), **values}
        return await self._write(statement, written, lambda cursor: cursor.rowcount == 1)

    async def _write(
        self, statement: str, values: Mapping[str, Any], result: Callable[[sqlite3.Cursor], Result]
    ) -> Result:
        """One statement in a transaction that also takes some expired rows away; what `result` makes of its cursor."""
        bound = {**values, "now": self._clock(), "pruned": PRUNED}

        def write() -> Result:
            with self._file.writing() as connection:
                outcome = result(connection.execute(statement, bound))
                for prune in _PRUNE:
                    connection.execute(prune, bound)
                return outcome

        return await anyio.to_thread.run_sync(write)
