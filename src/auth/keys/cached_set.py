"""The key set as one process knows it: read now and then, and the last good one kept while the store is down."""

from collections.abc import Callable
from typing import NamedTuple

from auth import records
from auth.keys.key_set import MAX_AGE, PAUSE
from auth.records import KeySet
from auth.refreshed import Ages, Refreshed
from store.protocol import Store, Stored, StoreUnavailableError

RETRY = 2
"""Seconds until a store that did not answer is asked again, where no set is known yet."""


class Read(NamedTuple):
    """The set, and the record that it was in; None where there is none yet."""

    keys: KeySet
    stored: Stored | None


class CachedKeySet:
    """The one record of signing keys.

    Args:
        store: where it is.
        clock: epoch seconds; a frozen sandbox that wakes up finds what it knows too old.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        ages = Ages(MAX_AGE, pause=PAUSE, retry=PAUSE, first_retry=RETRY)
        self._set = Refreshed(self._stored_keys, StoreUnavailableError, ages, clock)

    async def get(self, *, refresh: bool = False) -> KeySet:
        """The set, at most `MAX_AGE` seconds old; older while the store does not answer.

        Args:
            refresh: read it now, though no sooner than `PAUSE` seconds after the last time.

        Raises:
            StoreUnavailableError: it does not answer, and never did.
        """
        known = await self._set.get(refresh=refresh)
        if known is None:
            raise StoreUnavailableError("the signing keys cannot be read")
        return known

    async def read(self) -> Read:
        """The set as it is now.

        Raises:
            StoreUnavailableError: the store does not answer.
        """
        stored = await self._store.get(records.KEYS, consistent=True)
        keys = records.key_set(stored.record) if stored else KeySet(())
        self.learn(keys)
        return Read(keys, stored)

    async def write(self, seen: Stored | None, keys: KeySet) -> bool:
        """Write the set if it is still what was seen; whether it was written.

        Raises:
            StoreUnavailableError: the store does not answer.
        """
        if seen is None:
            written = await self._store.insert(records.KEYS, records.encode(keys))
        else:
            written = await self._store.replace(seen, records.encode(keys, seen.record))
        if written:
            self.learn(keys)
        return written

    def learn(self, keys: KeySet) -> None:
        """Take note of the set as it is now."""
        self._set.learn(keys)

    async def _stored_keys(self) -> KeySet:
        return (await self.read()).keys
