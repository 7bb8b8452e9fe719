"""What every store promises: single records, changed by compare-and-swap.

A record is bytes under a key, with a random version that every write changes. One conditional write decides every
race; what an index lists may lag behind the records themselves, and is for showing only.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """A record as it was read.

    Attributes:
        key: where it is.
        record: what it holds.
        version: what the last write of it left; `Store.replace` compares it.
        expires: epoch seconds from which on it does not exist; None: never.
        owner: what `Store.list` finds it by; set when it is inserted, for good.
    """

    key: str
    record: bytes
    version: str
    expires: int | None = None
    owner: str | None = None


class StoreUnavailableError(Exception):
    """The store gave no answer; whether a write was applied is not known.

    Attributes:
        retry_after: seconds after which trying again makes sense.
    """

    def __init__(self, reason: str, retry_after: int = 2) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class UnstorableError(ValueError):
    """No store takes such a key, owner or record; `store.limits` says why."""


class Store(Protocol):
    """Records by key. Every method raises `StoreUnavailableError` where the store does not answer.

    An expired record is never returned and never in the way, whether or not it has been deleted yet.
    A key that no store takes is asked for like any other: there is nothing under it.
    """

    async def get(self, key: str, *, consistent: bool = False) -> Stored | None:
        """The record under a key; `consistent` sees every write that was answered before."""
        ...

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, Stored]:
        """Up to 100 records in one read, by key, eventually consistent; what does not exist is left out."""
        ...

    async def insert(self, key: str, record: bytes, *, expires: int | None = None, owner: str | None = None) -> bool:
        """Write a record where there is none; whether it was written.

        Raises:
            UnstorableError: the key, the owner or the record is empty or too big, or not Unicode text.
        """
        ...

    async def replace(self, seen: Stored, record: bytes, *, expires: int | None = None) -> bool:
        """Write over a record if it is still what was seen; whether it was written.

        Raises:
            UnstorableError: the record is empty or too big.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove a record, if it exists."""
        ...

    async def list(self, owner: str, *, after: str | None = None, limit: int = 100) -> Sequence[Stored]:
        """An owner's records in the order of their keys, those behind `after`, at most `limit`; may lag."""
        ...

    async def add(self, counter: str, n: int, *, expires: int) -> int:
        """Add to a counter, which begins at 0 and ends at `expires`; what it is then.

        A counter is no record: `get` and `list` do not see it. Counting twice after a lost answer is possible.
        """
        ...

    async def aclose(self) -> None:
        """Let go of files and connections."""
        ...
