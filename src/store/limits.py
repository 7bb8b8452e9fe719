"""What fits into a store: DynamoDB's limits, which hold for every store so that a test of one is a test of all."""

import hashlib
from typing import Final

from store.protocol import UnstorableError

MAX_KEY: Final = 1024
"""Bytes of a key or an owner in UTF-8: what DynamoDB takes as the sort key of an index."""

MAX_RECORD: Final = 390 * 1024
"""Bytes of a record; DynamoDB's 400 KB hold the key, the owner and the attributes' names too."""

MAX_KEYS: Final = 100
"""Records in one read (DynamoDB's BatchGetItem)."""


def storable(name: str) -> bool:
    """Whether there can be a key or an owner of this name; names may come from outside."""
    return 0 < len(name.encode(errors="replace")) <= MAX_KEY and not _has_surrogates(name)


def listable(owner: str, after: str | None) -> bool:
    """Whether there can be records of this owner, and behind this key."""
    return storable(owner) and (not after or storable(after))


def check_name(what: str, name: str) -> None:
    """Refuse a key or an owner that no store takes.

    Raises:
        UnstorableError: it is empty, longer than `MAX_KEY`, or no Unicode text.
    """
    if not storable(name):
        raise UnstorableError(f"The {what} is not 1 to {MAX_KEY} bytes of Unicode text.")


def check_record(record: bytes) -> None:
    """Refuse a record that no store takes.

    Raises:
        UnstorableError: it is empty or larger than `MAX_RECORD`.
    """
    if not 0 < len(record) <= MAX_RECORD:
        raise UnstorableError(f"The record has {len(record)} bytes; a store takes 1 to {MAX_RECORD}.")


def check_keys(count: int) -> None:
    """Refuse to read more records at once than every store can.

    Raises:
        UnstorableError: there are more than `MAX_KEYS`.
    """
    if count > MAX_KEYS:
        raise UnstorableError(f"{count} records were asked for at once; a store reads {MAX_KEYS}.")


def counter_name(counter: str) -> str:
    """The name that a counter is kept under: its own, or a hash of one that does not fit."""
    if storable(counter):
        return counter
    return f"sha256:{hashlib.sha256(counter.encode(errors='surrogatepass')).hexdigest()}"


def _has_surrogates(name: str) -> bool:
    return not name.isascii() and any("\ud800" <= character <= "\udfff" for character in name)
