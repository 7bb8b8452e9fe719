"""What every store promises, of SQLite, of moto, and of AWS's DynamoDB Local."""

import anyio
import pytest

from store.limits import MAX_KEY, MAX_RECORD
from store.protocol import Stored, UnstorableError
from tests.store.conftest import NOON

pytestmark = pytest.mark.anyio

UNSTORABLE = ["", "k" * (MAX_KEY + 1), "client#\ud800"]


async def test_a_record_is_read_as_it_was_written(store):
    assert await store.get("grant#1") is None
    assert await store.insert("grant#1", b"what was allowed", expires=NOON + 60, owner="grants#ann")
    found = await store.get("grant#1")
    assert found == Stored("grant#1", b"what was allowed", found.version, NOON + 60, "grants#ann")
    assert await store.get("grant#1", consistent=True) == found


async def test_a_record_without_owner_and_end_has_neither(store):
    await store.insert("user#1", b"ann")
    found = await store.get("user#1", consistent=True)
    assert (found.owner, found.expires) == (None, None)


@pytest.mark.parametrize("key", ["username#Ærøskøbing \U0001f511", "client#https://a.example/c?d=e&f#g", "a\nb\0c"])
async def test_any_text_is_a_key_and_any_bytes_are_a_record(store, key):
    record = bytes(range(256))
    assert await store.insert(key, record, owner=key)
    assert (await store.get(key, consistent=True)).record == record
    assert [found.key for found in await store.list(key)] == [key]


async def test_the_longest_key_and_the_biggest_record_fit(store):
    key, record = "é" * (MAX_KEY // 2), b"\xff" * MAX_RECORD
    assert await store.insert(key, record, expires=NOON + 60, owner=key)
    assert (await store.get(key, consistent=True)).record == record


@pytest.mark.parametrize("record", [b"", b"x" * (MAX_RECORD + 1)])
async def test_a_record_that_does_not_fit_is_refused(store, record):
    with pytest.raises(UnstorableError):
        await store.insert("user#1", record)
    await store.insert("user#1", b"ann")
    seen = await store.get("user#1", consistent=True)
    with pytest.raises(UnstorableError):
        await store.replace(seen, record)
    assert await store.get("user#1", consistent=True) == seen


@pytest.mark.parametrize("name", UNSTORABLE)
async def test_under_a_key_that_no_store_takes_is_nothing(store, name):
    assert await store.get(name) is None
    assert await store.get_many([name]) == {}
    assert list(await store.list(name)) == []
    assert list(await store.list("owner", after=name)) == []
    await store.delete(name)
    with pytest.raises(UnstorableError):
        await store.insert(name, b"x")
    with pytest.raises(UnstorableError):
        await store.insert("key", b"x", owner=name)
    assert await store.get("key", consistent=True) is None


async def test_an_insert_never_writes_over_a_record(store):
    await store.insert("user#1", b"ann", owner="users")
    seen = await store.get("user#1", consistent=True)
    assert not await store.insert("user#1", b"bob", owner="others")
    assert await store.get("user#1", consistent=True) == seen


async def test_a_replace_writes_only_over_what_was_seen(store):
    await store.insert("user#1", b"ann", expires=NOON + 60, owner="users")
    first = await store.get("user#1", consistent=True)
    assert await store.replace(first, b"ann, older", expires=NOON + 90)
    second = await store.get("user#1", consistent=True)
    assert second == Stored("user#1", b"ann, older", second.version, NOON + 90, "users")
    assert second.version != first.version
    assert not await store.replace(first, b"ann, of another opinion")
    assert await store.get("user#1", consistent=True) == second


async def test_the_same_bytes_written_twice_are_two_versions(store):
    await store.insert("user#1", b"ann")
    first = await store.get("user#1", consistent=True)
    assert await store.replace(first, b"ann")
    assert not await store.replace(first, b"ann")


async def test_a_replace_may_take_the_end_away(store, clock):
    await store.insert("client#1", b"new", expires=NOON + 60)
    assert await store.replace(await store.get("client#1", consistent=True), b"used")
    clock.now = NOON + 1e6
    assert (await store.get("client#1", consistent=True)).record == b"used"


async def test_a_replace_leaves_a_record_alone_that_was_made_anew(store):
    await store.insert("user#1", b"ann")
    seen = await store.get("user#1", consistent=True)
    await store.delete("user#1")
    assert not await store.replace(seen, b"ann, still")
    assert await store.get("user#1", consistent=True) is None
    await store.insert("user#1", b"ann")
    assert not await store.replace(seen, b"ann, still")


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(store):
    await store.insert("user#1", b"ann", owner="users")
    await store.delete("user#1")
    await store.delete("user#1")
    assert await store.get("user#1", consistent=True) is None
    assert list(await store.list("users")) == []


async def test_many_records_are_read_at_once(store):
    for number in range(5):
        await store.insert(f"user#{number}", b"%d" % number)
    found = await store.get_many(["user#4", "user#1", "user#1", "user#9"])
    assert {key: stored.record for key, stored in found.items()} == {"user#4": b"4", "user#1": b"1"}
    assert found["user#4"] == await store.get("user#4", consistent=True)
    assert await store.get_many([]) == {}
    assert len(await store.get_many([f"user#{number}" for number in range(100)])) == 5
    with pytest.raises(UnstorableError):
        await store.get_many([f"user#{number}" for number in range(101)])


async def test_an_expired_record_is_not_there(store, clock):
    await store.insert("grant#1", b"x", expires=NOON + 60, owner="grants")
    seen = await store.get("grant#1", consistent=True)
    clock.now = NOON + 59.9
    assert await store.get("grant#1", consistent=True) == seen
    clock.now = NOON + 60
    assert await store.get("grant#1", consistent=True) is None
    assert await store.get_many(["grant#1"]) == {}
    assert list(await store.list("grants")) == []
    assert not await store.replace(seen, b"y", expires=NOON + 600)
    assert await store.get("grant#1", consistent=True) is None


async def test_an_expired_record_is_not_in_the_way(store, clock):
    await store.insert("grant#1", b"x", expires=NOON + 60, owner="grants#ann")
    clock.now = NOON + 60
    assert await store.insert("grant#1", b"y", owner="grants#bob")
    assert (await store.get("grant#1", consistent=True)).record == b"y"
    assert list(await store.list("grants#ann")) == []
    assert [found.key for found in await store.list("grants#bob")] == ["grant#1"]


@pytest.mark.parametrize("left", [1, 0, -1])
async def test_must_20_expiry_in_the_last_second_crashes_no_write(store, clock, left):
    assert await store.insert("grant#1", b"x", expires=NOON + left)
    assert ((await store.get("grant#1", consistent=True)) is not None) == (left > 0)
    await store.insert("grant#2", b"x", expires=NOON + 60)
    seen = await store.get("grant#2", consistent=True)
    clock.now = NOON + 59.5
    assert await store.replace(seen, b"y", expires=NOON + 60 + left)
    found = await store.get("grant#2", consistent=True)
    clock.now = NOON + 60 + left
    assert not found or not await store.replace(found, b"z", expires=NOON + 600)
    assert await store.add("rate", 1, expires=NOON + left) == 1


async def test_an_owners_records_are_listed_in_the_order_of_their_keys_page_by_page(store, clock):
    names = ["a", "b", "B", "é", "z", "\U0001f511", "10", "9", "ab"]
    for name in names:
        await store.insert(f"grant#{name}", name.encode(), owner="grants#ann")
        await store.insert(f"other#{name}", b"-", owner="grants#anna")
    await store.insert("grant#c", b"over", expires=NOON + 1, owner="grants#ann")
    await store.insert("grant#d", b"nobody's")
    clock.now = NOON + 1
    expected = sorted((f"grant#{name}" for name in names), key=str.encode)
    assert [found.key for found in await store.list("grants#ann")] == expected
    paged, after = [], None
    while page := await store.list("grants#ann", after=after, limit=2):
        assert len(page) <= 2
        paged, after = [*paged, *(found.key for found in page)], page[-1].key
    assert paged == expected
    assert list(await store.list("grants#ann", limit=0)) == []
    assert list(await store.list("nobody")) == []


async def test_a_page_is_full_whatever_has_expired_before_it(store, clock):
    for number in range(6):
        await store.insert(f"grant#{number}", b"x", expires=NOON + (60 if number > 3 else 1), owner="grants")
    clock.now = NOON + 1
    assert [found.key for found in await store.list("grants", limit=2)] == ["grant#4", "grant#5"]


async def test_a_list_goes_on_beyond_what_one_answer_holds(store):
    for number in range(5):
        await store.insert(f"grant#{number}", b"x" * 380_000, owner="grants")
    assert [found.key for found in await store.list("grants")] == [f"grant#{number}" for number in range(5)]


async def test_a_listed_record_can_be_replaced(store):
    await store.insert("grant#1", b"x", owner="grants")
    (found,) = await store.list("grants")
    assert await store.replace(found, b"y")
    (found,) = await store.list("grants")
    assert found == await store.get("grant#1", consistent=True)


async def test_a_counter_counts_for_every_store_until_it_ends(store, other, clock):
    assert await store.add("sign-ins:ann", 1, expires=NOON + 60) == 1
    assert await other.add("sign-ins:ann", 2, expires=NOON + 600) == 3
    assert await store.add("sign-ins:bob", 1, expires=NOON + 60) == 1
    assert await store.add("sign-ins:ann", 0, expires=NOON + 600) == 3
    clock.now = NOON + 60
    assert await store.add("sign-ins:ann", 1, expires=NOON + 120) == 1
    assert await other.add("sign-ins:ann", 1, expires=NOON + 120) == 2
    clock.now = NOON + 120
    assert await store.add("sign-ins:ann", 5, expires=NOON + 180) == 5


async def test_a_counter_is_no_record(store):
    await store.add("user#1", 1, expires=NOON + 60)
    assert await store.get("user#1", consistent=True) is None
    assert await store.insert("user#1", b"ann")
    assert await store.add("user#1", 1, expires=NOON + 60) == 2
    assert (await store.get("user#1", consistent=True)).record == b"ann"


@pytest.mark.parametrize("name", UNSTORABLE)
async def test_a_counter_of_any_name_counts(store, name):
    assert await store.add(name, 1, expires=NOON + 60) == 1
    assert await store.add(name, 1, expires=NOON + 60) == 2
    assert await store.add(f"{name}x", 1, expires=NOON + 60) == 1


async def test_nothing_is_lost_when_many_count_at_once(store, other, clock):
    counted = []

    async def count(which):
        counted.extend([await which.add("rate", 1, expires=NOON + 60) for _ in range(5)])

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(count, store)
            tasks.start_soon(count, other)
    assert sorted(counted) == list(range(1, 41))


async def test_a_counter_that_ended_begins_once_when_many_count_at_once(store, other, clock):
    await store.add("rate", 7, expires=NOON + 1)
    clock.now = NOON + 1
    counted = []

    async def count(which):
        counted.append(await which.add("rate", 1, expires=NOON + 60))

    async with anyio.create_task_group() as tasks:
        for which in (store, other) * 4:
            tasks.start_soon(count, which)
    assert sorted(counted) == list(range(1, 9))


async def race(*attempts):
    won = []

    async def run(number, attempt, *arguments):
        if await attempt(*arguments):
            won.append(number)

    async with anyio.create_task_group() as tasks:
        for number, attempt in enumerate(attempts):
            tasks.start_soon(run, number, *attempt)
    return won


async def test_of_many_inserts_at_once_one_wins(store, other):
    writes = [(which.insert, "username#ann", b"%d" % number) for number, which in enumerate([store, other] * 8)]
    (winner,) = await race(*writes)
    assert (await store.get("username#ann", consistent=True)).record == b"%d" % winner


async def test_of_many_replaces_at_once_one_wins(store, other):
    await store.insert("grant#1", b"generation 0")
    seen = await store.get("grant#1", consistent=True)
    writes = [(which.replace, seen, b"%d" % number) for number, which in enumerate([store, other] * 8)]
    (winner,) = await race(*writes)
    assert (await other.get("grant#1", consistent=True)).record == b"%d" % winner


async def test_what_one_store_wrote_another_sees(store, other):
    await store.insert("user#1", b"ann", owner="users")
    seen = await other.get("user#1", consistent=True)
    assert await other.replace(seen, b"ann, older")
    assert (await store.get("user#1", consistent=True)).record == b"ann, older"
    await store.delete("user#1")
    assert await other.get("user#1", consistent=True) is None


async def test_records_outlive_the_store(backend, clock):
    first = backend.open(clock)
    await first.insert("user#1", b"ann", owner="users")
    await first.add("rate", 3, expires=NOON + 60)
    await first.aclose()
    second = backend.open(clock)
    try:
        assert (await second.get("user#1")).record == b"ann"
        assert await second.add("rate", 1, expires=NOON + 60) == 4
    finally:
        await second.aclose()


async def test_a_store_that_nobody_used_is_closed_like_any_other(backend, clock):
    made = backend.open(clock)
    await made.aclose()
    await made.aclose()
