"""A real store that can be told not to answer, or to answer reads with what it knew a while ago."""

from collections.abc import Mapping, Sequence

import anyio

from store.protocol import Store, Stored, StoreUnavailableError
from tests.support.watched_store import WatchedStore


class AilingStore(WatchedStore):
    """A watched store with trouble in its reads.

    Attributes:
        down: whether reads get no answer.
        lagging: whether an eventually consistent read sees nothing yet.
        held: set, reads wait for it.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.down = False
        self.lagging = False
        self.held: anyio.Event | None = None

    async def get(self, key: str, *, consistent: bool = False) -> Stored | None:
        found = await super().get(key, consistent=consistent)
        await self._ail()
        return None if self.lagging and not consistent else found

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, Stored]:
        found = await super().get_many(keys)
        await self._ail()
        return {} if self.lagging else found

    async def _ail(self) -> None:
        if self.held is not None:
            await self.held.wait()
        if self.down:
            raise StoreUnavailableError("the test took it down")

    def reads(self) -> int:
        """How many reads there were."""
        return len([method for method, _ in self.calls if method in ("get", "get_many")])
