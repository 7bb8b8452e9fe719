"""Guessing a password is slow, and tells nothing."""

import anyio
import pytest

from auth.passwords import Passwords
from auth.users import SignInRefusedError, Users
from tests.auth.conftest import CONFIG

pytestmark = pytest.mark.anyio

GOOD = "correct horse battery"


async def refused(users, name, password="a wrong password", *, public=True):
    with pytest.raises(SignInRefusedError) as refusal:
        await users.sign_in(name, password, public=public)
    return refusal.value


async def test_must_23_five_failures_lock_even_for_the_right_password(users, clock, events):
    await users.add("ann", GOOD)
    waits = [(await refused(users, "ann")).retry_after for _ in range(5)]
    assert waits == [None, None, None, None, 60]
    clock.advance(59)
    assert (await refused(users, "ann", GOOD)).retry_after == 1
    clock.advance(1)
    await users.sign_in("ann", GOOD, public=True)
    locked = [event for event in events if event.name == "user_locked"]
    assert [(event.alarming, event.details["seconds"]) for event in locked] == [(True, 60)]


async def test_must_23_each_further_failure_doubles_the_lock(users, clock):
    await users.add("ann", GOOD)
    waits = []
    for _ in range(13):
        wait = (await refused(users, "ann")).retry_after
        waits.append(wait)
        clock.advance(wait or 0)
    assert waits == [None] * 4 + [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


async def test_tries_during_a_lock_do_not_make_it_longer(users, clock):
    await users.add("ann", GOOD)
    for _ in range(20):
        await refused(users, "ann")
    clock.advance(60)
    await users.sign_in("ann", GOOD, public=True)


async def test_success_takes_all_failures_back(users):
    await users.add("ann", GOOD)
    for _ in range(3):
        for _ in range(4):
            await refused(users, "ann")
        await users.sign_in("ann", GOOD, public=True)
    user = await users.find("ann")
    assert (user.failures, user.locked_until) == (0, 0)


async def test_an_operator_lifts_a_lock(users):
    ann = await users.add("ann", GOOD)
    for _ in range(5):
        await refused(users, "ann")
    await users.enable(ann)
    await users.sign_in("ann", GOOD, public=True)


async def test_must_23_guesses_at_the_same_time_are_no_more_than_those_in_a_row(users, store, clock):
    """Two instances, 24 guesses at once; the right one is among those that the lock keeps from being looked at."""
    await users.add("ann", GOOD)
    hashed = []

    class Counted(Passwords):
        async def matches(self, password, hashed_password):
            hashed.append(password)
            return await super().matches(password, hashed_password)

    instances = [Users(store, CONFIG, clock=clock) for _ in range(2)]
    for instance in instances:
        instance._passwords = Counted(4)

    async def guess(number):
        await refused(instances[number % 2], "ann", f"guess number {number}")

    async with anyio.create_task_group() as group:
        for number in range(24):
            group.start_soon(guess, number)
    assert len(hashed) == 5
    assert (await users.find("ann")).failures == 5


async def test_must_23_an_unknown_name_gets_the_same_answers_as_a_users(users, clock):
    await users.add("ann", GOOD)

    async def answers(name):
        seen = []
        for _ in range(8):
            refusal = await refused(users, name)
            seen.append((str(refusal), refusal.retry_after))
            clock.advance(45)
        return seen

    ann = await answers("ann")
    assert ann == await answers("nobody")
    assert ann == await answers("no name at all!")
    assert ann[4][1] == 60


async def test_must_23_an_unknown_name_costs_the_same_work_as_a_users(users, store):
    """The same reads and writes in the same order, and one hash, whoever is asked for."""
    await users.add("ann", GOOD)
    hashed = []

    class Counted(Passwords):
        async def matches(self, password, hashed_password):
            hashed.append(password)
            return await super().matches(password, hashed_password)

    users._passwords = Counted(4)
    work = {}
    for name in ("ann", "nobody"):
        await refused(users, name)
        store.calls.clear()
        await refused(users, name)
        work[name] = [method for method, _ in store.calls]
    assert work["ann"] == work["nobody"] == ["get", "get", "replace"]
    assert len(hashed) == 4


async def test_an_unknown_names_failures_are_forgotten_as_a_users_are(users, clock):
    await users.add("ann", GOOD)
    for name in ("ann", "nobody"):
        for _ in range(4):
            await refused(users, name)
    clock.advance(86_400)
    assert (await refused(users, "ann")).retry_after is None
    assert (await refused(users, "nobody")).retry_after is None


async def test_a_disabled_user_is_answered_as_an_unknown_one_even_with_the_right_password(users):
    await users.disable(await users.add("ann", GOOD))
    disabled, unknown = await refused(users, "ann", GOOD), await refused(users, "nobody", GOOD)
    assert (str(disabled), disabled.retry_after) == (str(unknown), unknown.retry_after)


async def test_a_password_that_changes_while_it_is_checked_lets_nobody_in(users, store):
    ann = await users.add("ann", GOOD)

    class Overtaken(Passwords):
        async def matches(self, password, hashed_password):
            await other.change_password(ann, "a newer password")
            return await super().matches(password, hashed_password)

    other = Users(store, CONFIG)
    users._passwords = Overtaken(4)
    await refused(users, "ann", GOOD)


async def test_a_user_who_is_removed_while_the_password_is_checked_is_not_let_in(users, store):
    ann = await users.add("ann", GOOD)

    class Overtaken(Passwords):
        async def matches(self, password, hashed_password):
            await other.remove(ann)
            return await super().matches(password, hashed_password)

    other = Users(store, CONFIG)
    users._passwords = Overtaken(4)
    await refused(users, "ann", GOOD)


async def test_events_name_neither_what_was_typed_nor_a_hash(users, events):
    await users.add("ann", GOOD)
    for _ in range(6):
        await refused(users, GOOD, "secret typed twice")
        await refused(users, "ann", "secret typed twice")
    told = repr(events)
    assert "secret" not in told
    assert GOOD not in told
    assert "$2b$" not in told
    assert {event.details["reason"] for event in events if event.name == "sign_in_failed"} == {
        "unknown user",
        "wrong password",
        "locked",
    }
