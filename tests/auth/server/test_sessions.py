"""Who is signed in by a cookie."""

import hashlib
from secrets import token_bytes

import pytest

from auth.server.sessions import Sessions
from auth.users import Users
from tests.auth.conftest import CONFIG

pytestmark = pytest.mark.anyio

GOOD = "correct horse battery"


@pytest.fixture
def sessions(store, clock):
    return Sessions(store, CONFIG, clock, token_bytes)


@pytest.fixture
async def ann(users):
    return await users.add("ann", GOOD)


async def test_a_session_is_its_users_until_it_is_closed(sessions, ann):
    cookie = await sessions.open(ann)
    assert (await sessions.find(cookie)).id == ann.id
    await sessions.close(cookie)
    assert await sessions.find(cookie) is None


async def test_each_session_has_a_cookie_of_its_own(sessions, ann):
    first, second = await sessions.open(ann), await sessions.open(ann)
    assert first != second
    await sessions.close(first)
    assert await sessions.find(second) is not None


async def test_a_session_ends_by_itself(sessions, ann, clock):
    cookie = await sessions.open(ann)
    clock.advance(CONFIG.session - 1)
    assert await sessions.find(cookie) is not None
    clock.advance(1)
    assert await sessions.find(cookie) is None


@pytest.mark.parametrize("change", ["disable", "remove", "change_password"])
async def test_all_sessions_end_when_the_users_epoch_does(sessions, users, ann, change):
    cookies = [await sessions.open(ann) for _ in range(2)]
    await getattr(users, change)(ann, *(["a new password"] if change == "change_password" else []))
    assert [await sessions.find(cookie) for cookie in cookies] == [None, None]


async def test_a_session_of_before_stays_dead_when_a_user_is_enabled_again(sessions, users, ann):
    cookie = await sessions.open(ann)
    await users.disable(ann)
    await users.enable(ann)
    assert await sessions.find(cookie) is None
    assert await sessions.find(await sessions.open(await users.get(ann.id))) is not None


async def test_a_session_opened_for_an_older_epoch_is_none(sessions, users, ann):
    await users.change_password(ann, "a new password")
    assert await sessions.find(await sessions.open(ann)) is None


@pytest.mark.parametrize("cookie", ["", "x", "A" * 43, "A" * 44, "\ud800", "#" * 43, "A" * 1_000_000])
async def test_what_is_no_cookie_of_ours_is_nobody(sessions, ann, cookie):
    await sessions.open(ann)
    assert await sessions.find(cookie) is None
    await sessions.close(cookie)


async def test_must_10_the_cookie_is_not_what_is_stored(sessions, ann, tmp_path):
    cookie = await sessions.open(ann)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert cookie.encode() not in stored
    assert hashlib.sha256(cookie.encode()).hexdigest().encode() in stored


async def test_must_15_a_session_is_found_by_another_instance(sessions, store, clock, ann):
    cookie = await sessions.open(ann)
    assert (await Sessions(store, CONFIG, clock, bytes).find(cookie)).id == ann.id
    assert (await Users(store, CONFIG, clock=clock).get(ann.id)).id == ann.id


async def test_a_session_costs_two_reads(sessions, store, ann):
    cookie = await sessions.open(ann)
    store.calls.clear()
    await sessions.find(cookie)
    assert store.calls == [("get", "session"), ("get", "user")]
    store.calls.clear()
    await sessions.find("no cookie")
    assert store.calls == []


async def test_randomness_that_repeats_itself_hands_nobody_anothers_session(store, clock, ann):
    weak = Sessions(store, CONFIG, clock, bytes)
    await weak.open(ann)
    with pytest.raises(RuntimeError, match="randomness"):
        await weak.open(ann)
