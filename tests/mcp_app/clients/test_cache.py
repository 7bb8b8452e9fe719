import anyio
import pytest

from mcp_app.clients.cache import Cache

pytestmark = pytest.mark.anyio


class Upstream:
    """Counts how often it is asked; answers when told to, if it is told to wait."""

    def __init__(self, *, waits: bool = False) -> None:
        self.calls = 0
        self.asked = anyio.Event()
        self.answer = anyio.Event()
        if not waits:
            self.answer.set()
        self.error: Exception | None = None

    async def __call__(self) -> str:
        self.calls += 1
        self.asked.set()
        await self.answer.wait()
        if self.error:
            raise self.error
        return f"answer {self.calls}"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_an_answer_is_kept_until_it_expires() -> None:
    clock, upstream = Clock(), Upstream()
    cache = Cache[str](60, clock=clock)
    assert await cache.get("k", upstream) == "answer 1"
    clock.now += 59.9
    assert await cache.get("k", upstream) == "answer 1"
    clock.now += 0.2
    assert await cache.get("k", upstream) == "answer 2"


async def test_keys_are_apart_and_an_empty_answer_is_one() -> None:
    cache = Cache[tuple[str, ...]](60)
    asked: list[str] = []

    async def nothing() -> tuple[str, ...]:
        asked.append("x")
        return ()

    for key in ("a", "b", "a"):
        assert await cache.get(key, nothing) == ()
    assert len(asked) == 2


async def test_zero_seconds_keep_nothing() -> None:
    upstream = Upstream()
    cache = Cache[str](0)
    await cache.get("k", upstream)
    await cache.get("k", upstream)
    assert upstream.calls == 2


async def test_the_least_recently_used_goes_first() -> None:
    upstream = Upstream()
    cache = Cache[str](60, size=2)
    for key in ("a", "b", "a", "c"):
        await cache.get(key, upstream)
    assert upstream.calls == 3
    await cache.get("a", upstream)
    assert upstream.calls == 3
    await cache.get("b", upstream)
    assert upstream.calls == 4


@pytest.mark.parametrize("seconds", [0, 60])
async def test_equal_calls_at_once_share_one(seconds: float) -> None:
    upstream = Upstream(waits=True)
    cache = Cache[str](seconds)
    answers: list[str] = []

    async def ask() -> None:
        answers.append(await cache.get("k", upstream))

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(ask)
        await upstream.asked.wait()
        upstream.answer.set()
    assert answers == ["answer 1"] * 50
    assert upstream.calls == 1


async def test_those_that_wait_share_the_error_which_is_not_kept() -> None:
    upstream = Upstream(waits=True)
    upstream.error = LookupError("no")
    cache = Cache[str](60)
    errors: list[Exception] = []

    async def ask() -> None:
        try:
            await cache.get("k", upstream)
        except LookupError as error:
            errors.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
        await upstream.asked.wait()
        upstream.answer.set()
    assert (len(errors), upstream.calls) == (5, 1)
    upstream.error = None
    assert await cache.get("k", upstream) == "answer 2"


async def test_when_the_first_is_cancelled_the_next_one_asks() -> None:
    upstream = Upstream(waits=True)
    cache = Cache[str](60)
    answers: list[str] = []

    async def ask() -> None:
        answers.append(await cache.get("k", upstream))

    async with anyio.create_task_group() as group:
        first = anyio.CancelScope()

        async def cancelled() -> None:
            with first:
                await ask()

        group.start_soon(cancelled)
        await upstream.asked.wait()
        group.start_soon(ask)
        await anyio.lowlevel.checkpoint()
        upstream.asked = anyio.Event()
        first.cancel()
        await upstream.asked.wait()
        upstream.answer.set()
    assert answers == ["answer 2"]


async def test_each_answer_may_say_how_long_it_is_kept() -> None:
    now = 0.0
    cache: Cache[float] = Cache(lambda answer: answer, clock=lambda: now)
    lasting = iter((-1.0, 0.0, 10.0, 5.0))

    async def fetch() -> float:
        return next(lasting)

    assert [await cache.get("k", fetch) for _ in range(4)] == [-1.0, 0.0, 10.0, 10.0]
    now = 9.9
    assert await cache.get("k", fetch) == 10.0
    now = 10.0
    assert await cache.get("k", fetch) == 5.0


async def test_an_answer_that_turned_out_bad_is_dropped_and_a_newer_one_is_not() -> None:
    cache: Cache[list[int]] = Cache(60)
    bad, good = [1], [1]

    async def first() -> list[int]:
        return bad

    async def second() -> list[int]:
        return good

    await cache.get("k", first)
    cache.drop("k", bad)
    assert await cache.get("k", second) is good
    cache.drop("k", bad)
    assert await cache.get("k", first) is good
    cache.drop("another", bad)
