"""A real store that tells what is asked of it, and breaks off where a test says."""

from collections.abc import Mapping, Sequence

from store.protocol import Store, Stored, StoreUnavailableError

WRITES = ("insert", "replace", "delete", "add")


class WatchedStore:
    """Hands everything on to a store.

    Attributes:
        calls: what was asked, as `(method, kind of key)`, oldest first.
        breaks_at: the how many-th write from now on gets no answer, and all that follow; None: none does.
        applied: whether that write is carried out before its answer is lost.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: list[tuple[str, str]] = []
        self.breaks_at: int | None = None
        self.applied = False

    def break_at(self, write: int, *, applied: bool = False) -> None:
        """Answer fewer writes than this one, counted from 1."""
        self.breaks_at, self.applied = write, applied

    def mend(self) -> None:
        """Answer everything again."""
        self.breaks_at = None

    async def get(self, key: str, *, consistent: bool = False) -> Stored | None:
        self._tell("get", key)
        return await self._store.get(key, consistent=consistent)

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, Stored]:
        self._tell("get_many", keys[0])
        return await self._store.get_many(keys)

    async def insert(self, key: str, record: bytes, *, expires: int | None = None, owner: str | None = None) -> bool:
        broken = self._tell("insert", key)
        done = await self._store.insert(key, record, expires=expires, owner=owner)
        return self._answer(done, broken=broken)

    async def replace(self, seen: Stored, record: bytes, *, expires: int | None = None) -> bool:
        broken = self._tell("replace", seen.key)
        return self._answer(await self._store.replace(seen, record, expires=expires), broken=broken)

    async def delete(self, key: str) -> None:
        broken = self._tell("delete", key)
        await self._store.delete(key)
        self._answer(True, broken=broken)

    async def list(self, owner: str, *, after: str | None = None, limit: int = 100) -> Sequence[Stored]:
        self._tell("list", owner)
        return await self._store.list(owner, after=after, limit=limit)

    async def add(self, counter: str, n: int, *, expires: int) -> int:
        self._tell("add", counter)
        return await self._store.add(counter, n, expires=expires)

    async def aclose(self) -> None:
        await self._store.aclose()

    def _tell(self, method: str, key: str) -> bool:
        """Note a call; whether its answer is to be lost."""
        self.calls.append((method, key.partition("#")[0]))
        if self.breaks_at is None or method not in WRITES:
            return False
        self.breaks_at -= 1
        if self.breaks_at > 0:
            return False
        if self.breaks_at < 0 or not self.applied:
            raise StoreUnavailableError("the test broke it")
        return True

    def _answer(self, done: bool, *, broken: bool) -> bool:
        if broken:
            raise StoreUnavailableError("the test lost its answer")
        return done
