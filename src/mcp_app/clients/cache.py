"""Recent answers, for a short while, and one upstream call for equal calls at the same time."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    """A call under way; others with the same key wait for it."""

    landed: anyio.Event = field(default_factory=anyio.Event)
    answers: list[T] = field(default_factory=list)
    error: Exception | None = None


class Cache(Generic[T]):
    """At most `size` answers, each for `seconds`; the least recently used go first. An error is never kept.

    Args:
        seconds: for every answer, or a function of it; zero keeps nothing, equal calls at the same time still share
            one.
        clock: monotonic seconds.
    """

    def __init__(
        self, seconds: float | Callable[[T], float], size: int = 256, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def get(self, key: Hashable, fetch: Callable[[], Awaitable[T]]) -> T:
        """The answer under that key, fetched by the first of those that ask at the same time.

        Those that wait get the first one's error too. If the first is cancelled, the next of them fetches.

        Raises:
            Exception: what `fetch` raises.
        """
        while True:
            for answer in self._fresh(key):
                return answer
            flight = self._flights.get(key)
            if flight is None:
                return await self._fetch(key, fetch)
            await flight.landed.wait()
            if flight.error is not None:
                raise flight.error
            for answer in flight.answers:
                return answer

    def drop(self, key: Hashable, answer: T) -> None:
        """Keep that answer no longer; one that was fetched since stays."""
        if key in self._kept and self._kept[key][1] is answer:
            del self._kept[key]

    def _fresh(self, key: Hashable) -> list[T]:
        expires, *answers = self._kept.get(key, (0.0,))
        if not answers or expires <= self._clock():
            return []
        self._kept.move_to_end(key)
        return answers

    async def _fetch(self, key: Hashable, fetch: Callable[[], Awaitable[T]]) -> T:
        flight = self._flights[key] = _Flight()
        try:
            answer = await fetch()
        except Exception as error:
            flight.error = error
            raise
        else:
            flight.answers.append(answer)
            self._keep(key, answer)
            return answer
        finally:
            del self._flights[key]
            flight.landed.set()

    def _keep(self, key: Hashable, answer: T) -> None:
        seconds = self._seconds(answer) if callable(self._seconds) else self._seconds
        if seconds <= 0:
            return
        self._kept[key] = (self._clock() + seconds, answer)
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
