"""The tables of the SQLite store, and how a database comes to have them (docs/reference/storage.md)."""

import sqlite3
import time
from typing import Final

from store.protocol import StoreUnavailableError

VERSION: Final = 1
"""`PRAGMA user_version` of a database that this version reads and writes."""

TABLES: Final = (
    """CREATE TABLE records (
        key TEXT NOT NULL PRIMARY KEY,
        record BLOB NOT NULL,
        version TEXT NOT NULL,
        expires INTEGER,
        owner TEXT
    )""",
    "CREATE INDEX records_by_owner ON records (owner, key) WHERE owner IS NOT NULL",
    "CREATE INDEX records_by_expiry ON records (expires) WHERE expires IS NOT NULL",
    """CREATE TABLE counters (
        name TEXT NOT NULL PRIMARY KEY,
        count INTEGER NOT NULL,
        expires INTEGER NOT NULL
    )""",
    "CREATE INDEX counters_by_expiry ON counters (expires)",
)

_PAUSE: Final = 0.02


def prepare(connection: sqlite3.Connection, busy: float) -> None:
    """Make a connection ready for use, and the tables where there are none.

    Args:
        connection: in autocommit mode.
        busy: seconds to wait for another process that makes the same database.

    Raises:
        StoreUnavailableError: the database is not this server's, or a newer version's.
        sqlite3.Error: it cannot be read or written.
    """
    _check(connection)
    # With WAL, less than FULL would lose the last answered writes when the machine loses its power.
    connection.execute("PRAGMA synchronous = FULL")
    _write_ahead(connection, busy)
    if _version(connection) < VERSION:
        _create(connection)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check(connection: sqlite3.Connection) -> None:
    """Refuse what another program, or a later version of this one, has written."""
    # In one statement: another process may be just about to commit the tables and their version.
    version, tables = connection.execute(
        "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
    ).fetchone()
    if version > VERSION:
        raise StoreUnavailableError(f"The database has schema {version}; this version knows {VERSION}. Upgrade it.")
    if version == 0 and tables:
        raise StoreUnavailableError("The database belongs to another program.")


def _write_ahead(connection: sqlite3.Connection, busy: float) -> None:
    """Turn on write-ahead logging; while several processes do, SQLite refuses without waiting by itself."""
    end = time.monotonic() + busy
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables in one transaction, which ends with the connection where one of them cannot be made."""
    connection.execute("BEGIN IMMEDIATE")
    if _version(connection) < VERSION:
        for statement in TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
