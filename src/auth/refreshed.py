"""Something that is kept elsewhere, as one process knows it: read now and then, and the last good one kept."""

from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

import anyio

T = TypeVar("T")


class Ages(NamedTuple):
    """When it is read again; seconds.

    Attributes:
        most: it is read again when it is older.
        pause: between two readings that somebody asks for before that.
        retry: until it is read again after that failed.
        first_retry: the same where nothing is known yet.
    """

    most: float
    pause: float
    retry: float
    first_retry: float


class Refreshed(Generic[T]):
    """The last good reading, at most so old; older while readings fail.

    What it remembers is a copy with an age, by wall clock: a frozen sandbox that wakes up finds it too old. Those who
    ask at once wait for one reading.

    Args:
        read: reads it; tells whoever must know of a failure.
        failure: what `read` raises where nothing could be read.
        ages: when it is read again.
        clock: epoch seconds.
    """

    def __init__(
        self, read: Callable[[], Awaitable[T]], failure: type[Exception], ages: Ages, clock: Callable[[], float]
    ) -> None:
        self._read = read
        self._failure = failure
        self._ages = ages
        self._clock = clock
        self._lock = anyio.Lock()
        self._known: T | None = None
        self._read_at = self._refreshed_at = self._failed_at = float("-inf")

    async def get(self, *, refresh: bool = False) -> T | None:
        """What is known; None where no reading has succeeded yet.

        Args:
            refresh: read it now, though no sooner than `ages.pause` after the last time.
        """
        if self._known is not None and not self._due(refresh=refresh):
            return self._known
        async with self._lock:
            if self._due(refresh=refresh):
                await self._renew(refresh=refresh)
        return self._known

    def learn(self, value: T) -> None:
        """Take note of what it is now."""
        # An equal one stays the same object, so that what is derived from it stays good.
        if value != self._known:
            self._known = value
        self._read_at = self._clock()

    def _due(self, *, refresh: bool) -> bool:
        now, ages = self._clock(), self._ages
        if 0 <= now - self._failed_at < (ages.first_retry if self._known is None else ages.retry):
            return False
        old = not 0 <= now - self._read_at < ages.most
        return old or (refresh and not 0 <= now - self._refreshed_at < ages.pause)

    async def _renew(self, *, refresh: bool) -> None:
        if refresh:
            self._refreshed_at = self._clock()
        try:
            self.learn(await self._read())
        except self._failure:
            self._failed_at = self._clock()
        else:
            self._failed_at = float("-inf")
