"""Small secret files, made once: whole or not at all, and for their owner only."""

import os
from pathlib import Path

from auth.keys.errors import KeyUnavailableError

LARGEST = 64 * 1024
"""Bytes; no key is nearly that long."""


def read(path: Path) -> bytes | None:
    """What a file holds; None where there is none.

    Raises:
        KeyUnavailableError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyUnavailableError(f"{path.name} cannot be read: {error.strerror}.") from None


def create(path: Path, data: bytes) -> bool:
    """Write a file where there is none; whether it was written.

    A link puts it in its place, so that of several processes one wins, and nobody ever reads half of it.

    Raises:
        KeyUnavailableError: it cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
        _write(temporary, data)
        try:
            return _linked(temporary, path)
        finally:
            temporary.unlink()
    except OSError as error:
        raise KeyUnavailableError(f"{path.name} cannot be written: {error.strerror}.") from None


def _linked(existing: Path, path: Path) -> bool:
    try:
        path.hardlink_to(existing)
    except FileExistsError:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
