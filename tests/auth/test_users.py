"""Users come, change and go."""

import contextlib

import anyio
import pytest

from auth.passwords import PUBLISHED, UnfitPasswordError
from auth.records import USERS, Username, encode, user_key, username_key
from auth.usernames import UnfitUsernameError
from auth.users import SignInRefusedError, UnknownUserError, UsernameTakenError, Users
from store.protocol import StoreUnavailableError
from tests.auth.conftest import CONFIG
from tests.support.interrupted_store import InterruptedStore
from tests.support.watched_store import WatchedStore

pytestmark = pytest.mark.anyio

GOOD = "correct horse battery"
OTHER = "battery horse correct"


async def signs_in(users, name, password, *, public=True):
    try:
        return await users.sign_in(name, password, public=public)
    except SignInRefusedError:
        return None


async def test_a_user_signs_in_by_any_form_of_the_name(users, clock, events):
    added = await users.add("Ann", GOOD)
    assert (added.username, added.created, added.last_login, added.disabled) == ("ann", clock.now, None, False)
    clock.advance(5)
    signed_in = await users.sign_in(" ANN ", GOOD, public=True)
    assert (signed_in.id, signed_in.last_login) == (added.id, clock.now)
    assert [event.name for event in events] == ["user_added", "sign_in"]


async def test_a_name_is_one_users(users):
    first = await users.add("ann", GOOD)
    with pytest.raises(UsernameTakenError):
        await users.add("\uff21NN", OTHER)
    assert (await users.find("Ann")).id == first.id
    assert len(await users.list()) == 1


async def test_what_nobody_should_have_is_refused_before_anything_is_written(users, store):
    for name, password, error in [("a b", GOOD, UnfitUsernameError), ("ann", "short", UnfitPasswordError)]:
        with pytest.raises(error):
            await users.add(name, password)
    assert store.calls == []


async def test_of_many_who_take_a_name_at_once_one_gets_it(users):
    won = []

    async def take(number):
        with contextlib.suppress(UsernameTakenError):
            won.append(await users.add("ann", f"{GOOD} {number}"))

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(take, number)
    assert len(won) == 1
    assert [user.id for user in await users.list()] == [won[0].id]
    assert (await users.find("ann")).id == won[0].id


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("write", [1, 2, 3])
async def test_wherever_adding_breaks_off_the_name_can_be_had_again(users, store, clock, write, applied):
    store.break_at(write, applied=applied)
    with pytest.raises(StoreUnavailableError):
        await users.add("ann", GOOD)
    store.mend()
    clock.advance(3600)  # what is unfinished goes by itself
    if (write, applied) != (3, True):
        assert await users.find("ann") is None
        assert await users.list() == []
        await users.add("ann", OTHER)
        assert await signs_in(users, "ann", OTHER)
        assert not await signs_in(users, "ann", GOOD)
    else:
        assert await signs_in(users, "ann", GOOD)


async def test_a_user_who_was_added_stays(users, clock):
    await users.add("ann", GOOD)
    clock.advance(10 * 365 * 86400)
    assert await signs_in(users, "ann", GOOD)


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("write", [1, 2, 3])
async def test_wherever_removal_breaks_off_no_access_is_left_and_it_can_be_finished(users, store, write, applied):
    ann = await users.add("ann", GOOD)
    store.break_at(write, applied=applied)
    with pytest.raises(StoreUnavailableError):
        await users.remove(ann)
    store.mend()
    if (write, applied) != (1, False):
        assert not await signs_in(users, "ann", GOOD)
        left = await users.get(ann.id)
        assert left is None or (left.disabled and left.epoch > ann.epoch)
    if (found := await users.find("ann")) is not None:
        await users.remove(found)
    again = await users.add("ann", OTHER)
    assert again.id != ann.id
    assert await signs_in(users, "ann", OTHER)


async def test_removal_frees_the_name_and_tells_who_went(users, events):
    ann = await users.add("ann", GOOD)
    await users.remove(ann)
    assert await users.find("ann") is None
    assert await users.get(ann.id) is None
    assert await users.list() == []
    assert events[-1].name == "user_removed"
    with pytest.raises(UnknownUserError):
        await users.remove(ann)


async def test_removing_twice_at_once_does_not_take_the_name_from_its_next_holder(users, store):
    ann = await users.add("ann", GOOD)
    await users.remove(ann)
    again = await users.add("ann", OTHER)
    # The late half of another removal of the first one.
    await store.insert(user_key(ann.id), encode(ann), owner=USERS)
    await users.remove(ann)
    assert (await users.find("ann")).id == again.id


async def test_a_name_whose_user_is_not_there_is_free(users, store):
    await store.insert(username_key("ann"), encode(Username("nobody")))
    assert await users.find("ann") is None
    await users.add("ann", GOOD)
    assert await signs_in(users, "ann", GOOD)


async def test_disabling_a_new_password_and_removal_raise_the_epoch(users):
    ann = await users.add("ann", GOOD)
    disabled = await users.disable(ann)
    enabled = await users.enable(ann)
    changed = await users.change_password(ann, OTHER)
    assert ann.epoch < disabled.epoch == enabled.epoch < changed.epoch


async def test_a_disabled_user_is_let_in_again_when_enabled(users, events):
    ann = await users.add("ann", GOOD)
    await users.disable(ann)
    assert not await signs_in(users, "ann", GOOD)
    await users.enable(ann)
    assert await signs_in(users, "ann", GOOD)
    assert [event.name for event in events if "able" in event.name] == ["user_disabled", "user_enabled"]


async def test_a_new_password_ends_the_old_one(users):
    ann = await users.add("ann", GOOD)
    await users.change_password(ann, OTHER)
    assert not await signs_in(users, "ann", GOOD)
    assert await signs_in(users, "ann", OTHER)


async def test_a_person_who_changes_the_password_shows_the_old_one(users, events):
    ann = await users.add("ann", GOOD)
    with pytest.raises(SignInRefusedError):
        await users.change_password(ann, OTHER, current="a wrong password")
    assert await signs_in(users, "ann", GOOD)
    changed = await users.change_password(ann, OTHER, current=GOOD)
    assert changed.epoch > ann.epoch
    assert events[-1].name == "password_changed"
    assert await signs_in(users, "ann", OTHER)


@pytest.mark.parametrize("write", range(3))
@pytest.mark.parametrize("meanwhile", ["change_password", "disable", "remove"])
async def test_who_knew_the_old_password_changes_nothing_that_the_operator_did_meanwhile(
    users, store, clock, write, meanwhile
):
    ann = await users.add("ann", GOOD)
    done = []

    async def nothing():
        pass

    async def operator():
        await getattr(users, meanwhile)(ann, *([OTHER] if meanwhile == "change_password" else []))
        done.append(await users.get(ann.id))

    interrupted = InterruptedStore(store)
    interrupted.first = [nothing] * write + [operator]
    refused = False
    try:
        await Users(interrupted, CONFIG, clock=clock).change_password(ann, "the thief's own", current=GOOD)
    except SignInRefusedError:
        refused = True
    assert refused == bool(done)
    after = await users.get(ann.id)
    if done:
        assert (after and after.password_hash) == (done[0] and done[0].password_hash)


async def test_guesses_of_the_old_password_lead_to_the_same_lock(users, clock):
    ann = await users.add("ann", GOOD)
    for _ in range(5):
        with pytest.raises(SignInRefusedError) as refused:
            await users.change_password(ann, OTHER, current="a wrong password")
    assert refused.value.retry_after == 60
    with pytest.raises(SignInRefusedError):
        await users.change_password(ann, OTHER, current=GOOD)
    clock.advance(60)
    await users.change_password(ann, OTHER, current=GOOD)


async def test_a_new_password_obeys_the_rules_of_one(users):
    ann = await users.add("ann", GOOD)
    for unfit in (PUBLISHED, "short", " " * 20):
        with pytest.raises(UnfitPasswordError):
            await users.change_password(ann, unfit)


async def test_who_is_gone_cannot_be_changed(users):
    ann = await users.add("ann", GOOD)
    await users.remove(ann)
    for change in (users.disable(ann), users.enable(ann), users.change_password(ann, OTHER)):
        with pytest.raises(UnknownUserError):
            await change
    with pytest.raises(SignInRefusedError):
        await users.change_password(ann, OTHER, current=GOOD)


async def test_users_are_listed_in_pages(users):
    added = {(await users.add(f"user{number}", GOOD)).id for number in range(5)}
    first = await users.list(limit=3)
    rest = await users.list(after=first[-1].id, limit=3)
    assert (len(first), len(rest)) == (3, 2)
    assert {user.id for user in first + rest} == added


async def test_a_hash_of_less_work_is_renewed_at_sign_in(users, store, clock):
    ann = await users.add("ann", GOOD)
    stronger = Users(store, CONFIG._replace(password_cost=5), clock=clock)
    renewed = await stronger.sign_in("ann", GOOD, public=True)
    assert (ann.password_hash[:7], renewed.password_hash[:7]) == ("$2b$04$", "$2b$05$")
    assert renewed.epoch == ann.epoch
    assert await signs_in(stronger, "ann", GOOD)


async def test_must_24_the_published_password_signs_in_on_loopback_only(users, store, clock):
    await users.add_default(public=False)
    assert await signs_in(users, "mcpuser", PUBLISHED, public=False)
    assert not await signs_in(users, "mcpuser", PUBLISHED, public=True)
    reached = Users(store, CONFIG._replace(public=True), clock=clock)
    assert not await signs_in(reached, "mcpuser", PUBLISHED, public=False)


async def test_must_24_the_default_user_is_not_made_where_others_reach_the_server(users):
    with pytest.raises(UnfitPasswordError):
        await users.add_default(public=True)
    assert await users.list() == []


async def test_the_default_user_is_made_once(users):
    await users.add_default(public=False)
    with pytest.raises(UsernameTakenError):
        await users.add_default(public=False)


async def test_must_10_nothing_that_is_stored_shows_a_password(users, tmp_path):
    await users.add("ann", GOOD)
    await signs_in(users, GOOD, "typed into the wrong field")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"ann" in stored
    assert GOOD.encode() not in stored
    assert b"wrong field" not in stored


async def test_randomness_that_repeats_itself_gives_nobody_anothers_record(store, clock):
    weak = Users(store, CONFIG, clock=clock, randomness=bytes)
    ann = await weak.add("ann", GOOD)
    with pytest.raises(RuntimeError, match="randomness"):
        await weak.add("bob", OTHER)
    assert await weak.get(ann.id) == ann
    assert await weak.find("bob") is None


class Overtaken(WatchedStore):
    """A store in which somebody else was always faster."""

    async def replace(self, seen, record, *, expires=None):
        return False


async def test_a_record_that_others_keep_changing_is_a_passing_fault(users, store, clock):
    ann = await users.add("ann", GOOD)
    late = Users(Overtaken(store), CONFIG, clock=clock)
    with pytest.raises(StoreUnavailableError, match="too fast"):
        await late.disable(ann)
    with pytest.raises(StoreUnavailableError, match="too fast"):
        await late.sign_in("ann", GOOD, public=True)
    await signs_in(users, "nobody", GOOD)
    with pytest.raises(StoreUnavailableError, match="too fast"):
        await late.sign_in("nobody", GOOD, public=True)
