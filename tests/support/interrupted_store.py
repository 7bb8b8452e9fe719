"""A real store whose writes are interrupted: by another's writes, or by a fault on either side of them."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from store.protocol import Store, Stored, StoreUnavailableError

Fault = Literal["read", "before", "after"]


class InterruptedStore:
    """Hands everything on to a store.

    Attributes:
        first: what happens before the next replacement, after everything that led to it was read; taken off one by
            one, so that what happens may be interrupted itself.
        fault: what the next read or replacement meets, once: no answer to the read, none because the write was never
            made, or none to a write that was.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.first: list[Callable[[], Awaitable[None]]] = []
        self.fault: Fault | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def get(self, key: str, *, consistent: bool = False) -> Stored | None:
        self._meet("read")
        return await self._store.get(key, consistent=consistent)

    async def replace(self, seen: Stored, record: bytes, *, expires: int | None = None) -> bool:
        if self.first:
            await self.first.pop(0)()
        self._meet("before")
        won = await self._store.replace(seen, record, expires=expires)
        self._meet("after")
        return won

    def _meet(self, fault: Fault) -> None:
        if self.fault == fault:
            self.fault = None
            raise StoreUnavailableError("the test broke it")
