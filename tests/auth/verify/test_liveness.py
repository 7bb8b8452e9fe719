"""How often the store is asked whether a grant lives, and what is believed meanwhile."""

import anyio
import pytest

from auth import records
from auth.records import Grant, Revocation
from auth.verify.liveness import FRESH, RETRY, STALE, Liveness
from store.protocol import StoreUnavailableError
from store.sqlite import SqliteStore
from tests.support.ailing_store import AilingStore
from tests.support.auth_server import START, add_user, public_client

pytestmark = pytest.mark.anyio

ENDS = START + 3600
GRANT = Grant("grant-1", "user-alice", 0, "app", "An app", ("mcp.read",), "https://mcp.example/mcp", START, seed="5eed")


@pytest.fixture
async def store(tmp_path, clock):
    made = AilingStore(SqliteStore(tmp_path / "auth.db", clock))
    await add_user(made)
    await made.insert(records.grant_key(GRANT.id), records.encode(GRANT))
    made.calls.clear()
    yield made
    await made.aclose()


@pytest.fixture
def liveness(store, clock):
    return Liveness(store, clock)


async def change(store: AilingStore, **changes: object) -> None:
    """Change the grant."""
    await rewrite(store, records.grant_key(GRANT.id), records.encode(GRANT._replace(**changes)))


async def rewrite(store: AilingStore, key: str, record: bytes) -> None:
    seen = await store.get(key, consistent=True)
    assert seen
    assert await store.replace(seen, record)


async def change_user(store: AilingStore, **changes: object) -> None:
    key = records.user_key("user-alice")
    seen = await store.get(key, consistent=True)
    assert seen
    assert await store.replace(seen, records.encode(records.user(seen.record)._replace(**changes)))


async def alive(liveness: Liveness) -> bool:
    return await liveness.alive(GRANT.id, "user-alice", "app", ENDS)


async def test_a_thousand_calls_in_a_minute_are_one_read(store, clock, liveness):
    for _ in range(1000):
        assert await alive(liveness)
        clock.advance(FRESH / 1001)
    assert store.calls == [("get_many", "grant")]
    clock.advance(FRESH)
    assert await alive(liveness)
    assert len(store.calls) == 2


async def test_many_calls_at_once_are_one_read(store, liveness):
    store.held = anyio.Event()
    answers = []

    async def ask():
        answers.append(await alive(liveness))

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        store.held.set()
    assert answers == [True] * 50
    assert store.reads() == 1


async def test_a_caller_that_leaves_takes_nobodys_answer_along(store, liveness):
    store.held = anyio.Event()
    answers = []

    async def ask():
        answers.append(await alive(liveness))

    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as leaving:
            async with anyio.create_task_group() as first:
                first.start_soon(ask)
                await anyio.wait_all_tasks_blocked()
                group.start_soon(ask)
                leaving.cancel()
        store.held.set()
    assert answers == [True]


async def test_a_revocation_takes_effect_within_a_minute(store, clock, liveness):
    assert await alive(liveness)
    await change(store, revoked=Revocation(START, "user"))
    clock.advance(FRESH - 1)
    assert await alive(liveness)
    clock.advance(1)
    assert not await alive(liveness)


async def test_a_sandbox_that_slept_asks_again(store, clock, liveness):
    assert await alive(liveness)
    await change(store, revoked=Revocation(START, "user"))
    clock.advance(3000)
    assert not await alive(liveness)


async def test_a_clock_that_was_set_back_makes_it_ask_again(store, clock, liveness):
    assert await alive(liveness)
    await change(store, revoked=Revocation(START, "user"))
    clock.advance(-5)
    assert not await alive(liveness)


async def test_a_revoked_grant_is_not_asked_for_again_before_its_token_ends(store, clock, liveness):
    await change(store, revoked=Revocation(START, "user"))
    assert not await alive(liveness)
    reads = store.reads()
    store.down = True
    for _ in range(10):
        clock.advance(300)
        assert not await alive(liveness)
    assert store.reads() == reads


@pytest.mark.parametrize(
    ("grant", "user", "lives"),
    [
        ({}, {}, True),
        ({"revoked": Revocation(START, "user")}, {}, False),
        ({"epoch": 1}, {}, False),
        ({}, {"epoch": 1}, False),
        ({"epoch": 1}, {"epoch": 1}, True),
        ({}, {"disabled": True}, False),
        ({"user_id": "user-bob"}, {}, False),
        ({}, {"locked_until": ENDS, "failures": 9}, True),
    ],
)
async def test_a_grant_lives_as_long_as_it_and_its_user_do(store, liveness, grant, user, lives):
    await change(store, **grant)
    await change_user(store, **user)
    assert await alive(liveness) is lives


@pytest.mark.parametrize("key", [records.grant_key(GRANT.id), records.user_key("user-alice")])
async def test_a_grant_that_is_gone_or_whose_user_is_gone_is_dead(store, liveness, key):
    await store.delete(key)
    assert not await alive(liveness)


async def test_a_grant_that_was_made_a_moment_ago_lives_though_reads_lag(store, liveness):
    store.lagging = True
    assert await alive(liveness)
    assert [method for method, _ in store.calls] == ["get_many", "get", "get"]


async def test_a_client_that_acts_for_itself_lives_as_long_as_it_is_registered(store, clock, liveness):
    key = records.client_key("backend")
    await store.insert(key, records.encode(public_client("backend")))
    for _ in range(100):
        assert await liveness.alive(None, "client:backend", "backend", ENDS)
    assert store.reads() == 1
    await store.delete(key)
    clock.advance(FRESH)
    assert not await liveness.alive(None, "client:backend", "backend", ENDS)


async def test_a_grant_ends_with_the_client_that_it_was_given_to(store, clock, liveness):
    client_id = "0123456789abcdef" * 2
    await change(store, client_id=client_id)
    key = records.client_key(client_id)
    await store.insert(key, records.encode(public_client(client_id)))
    store.calls.clear()
    assert await liveness.alive(GRANT.id, "user-alice", client_id, ENDS)
    assert store.reads() == 1
    await store.delete(key)
    clock.advance(FRESH)
    assert not await liveness.alive(GRANT.id, "user-alice", client_id, ENDS)


@pytest.mark.parametrize(
    ("grant_id", "subject"), [(None, "user-alice"), ("grant-1", "client:app"), (None, ""), (None, "client:another")]
)
async def test_no_token_has_a_client_and_a_grant_or_neither(store, liveness, grant_id, subject):
    assert not await liveness.alive(grant_id, subject, "app", ENDS)
    assert store.calls == []


async def test_an_answer_serves_five_minutes_while_the_store_is_down_and_not_longer(store, clock, liveness):
    assert await alive(liveness)
    store.down = True
    for _ in range(4):
        clock.advance(FRESH)
        assert await alive(liveness)
    clock.advance(FRESH - 1)
    assert await alive(liveness)
    clock.advance(1)
    assert clock() == START + STALE
    with pytest.raises(StoreUnavailableError):
        await alive(liveness)
    store.down = False
    assert await alive(liveness)


async def test_a_store_that_is_down_is_not_asked_by_every_call(store, clock, liveness):
    assert await alive(liveness)
    store.down = True
    clock.advance(FRESH)
    reads = store.reads()
    for _ in range(100):
        assert await alive(liveness)
    assert store.reads() == reads + 1
    clock.advance(RETRY)
    assert await alive(liveness)
    assert store.reads() == reads + 2


async def test_those_who_wait_for_a_reading_that_fails_do_not_each_wait_for_one_more(store, liveness):
    store.down, store.held = True, anyio.Event()
    failures = []

    async def ask():
        try:
            await alive(liveness)
        except StoreUnavailableError as error:
            failures.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        store.held.set()
    assert len(failures) == 20
    assert store.reads() == 1


async def test_nobody_is_let_in_while_a_store_is_down_that_was_never_asked(store, liveness):
    store.down = True
    with pytest.raises(StoreUnavailableError):
        await alive(liveness)
    store.down = False
    assert await alive(liveness)


async def test_15_two_processes_hear_the_same_from_the_store(store, clock):
    await change(store, revoked=Revocation(START, "user"))
    assert [await alive(Liveness(store, clock)) for _ in range(2)] == [False, False]


async def test_what_is_remembered_has_an_end(store, clock):
    liveness = Liveness(store, clock, remembered=10)
    for _ in range(2):
        for number in range(11):
            await liveness.alive(None, f"client:{number}", str(number), ENDS)
    assert store.calls.count(("get_many", "client")) == 22
    assert not await liveness.alive(None, "client:10", "10", ENDS)
    assert store.calls.count(("get_many", "client")) == 22
