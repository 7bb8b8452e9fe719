"""One SQLite file: made safely, opened at first use, and known again when it is taken away."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from store.protocol import StoreUnavailableError
from store.sqlite_schema import prepare

BUSY: Final = 5.0
"""Seconds that a connection waits for another's write to end."""

MEMORY: Final = ":memory:"

_LOCKED: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")


class SqliteFile:
    """A database by one connection that reads and one that writes, for any thread; a memory database has but one.

    Args:
        path: the file, or `:memory:`.
        busy: seconds to wait for whoever else writes.

    The methods raise `StoreUnavailableError`; its reason names no path.
    """

    def __init__(self, path: str | Path, busy: float = BUSY) -> None:
        self._path = None if str(path) == MEMORY else Path(path).absolute()
        self._busy = busy
        self._writer = _Line(busy)
        self._reader = self._writer if self._path is None else _Line(busy)
        self._opening = threading.Lock()
        self._made = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read by, this thread's alone while the block runs."""
        with _translated(), self._reader.taken():
            yield self._connection(self._reader)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction that nobody else's write can come between; committed where it ends well."""
        with _translated(), self._writer.taken():
            connection = self._connection(self._writer)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # After some errors, a full disk among them, SQLite has rolled back by itself.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connections, each once its thread has done with it."""
        for line in (self._reader, self._writer):
            with line.taken():
                line.drop()

    def _connection(self, line: "_Line") -> sqlite3.Connection:
        """The line's connection to the file that is there now.

        A file that is gone still works for those who have it open; what they write would be lost with the last of them.
        """
        if line.connection and (self._path is None or line.identity == _identity(self._path)):
            return line.connection
        with self._opening:
            line.drop()
            if self._path is None:
                return line.keep(self._connect(MEMORY), None)
            self._make(self._path)
            return line.keep(self._connect(f"{self._path.as_uri()}?mode=rw"), _identity(self._path))

    def _make(self, path: Path) -> None:
        """Make the folder and the file, once: an empty one in the place of one that went away locks everyone out."""
        if self._made:
            return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreUnavailableError(f"The database file cannot be made: {error.strerror}.") from None
        self._made = True

    def _connect(self, address: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, timeout=self._busy, isolation_level=None, check_same_thread=False, uri=address != MEMORY
        )
        try:
            prepare(connection, self._busy)
        except BaseException:
            connection.close()
            raise
        return connection


class _Line:
    """A connection and the lock of whoever uses it."""

    def __init__(self, patience: float) -> None:
        self.connection: sqlite3.Connection | None = None
        self.identity: tuple[int, int] | None = None
        self._patience = patience
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=self._patience):
            raise StoreUnavailableError("The database is locked.")
        try:
            yield
        finally:
            self._lock.release()

    def keep(self, connection: sqlite3.Connection, identity: tuple[int, int] | None) -> sqlite3.Connection:
        self.connection, self.identity = connection, identity
        return connection

    def drop(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = self.identity = None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailableError(_reason(error)) from None


def _reason(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return "The database is locked." if name.startswith(_LOCKED) else f"The database does not answer ({name})."
