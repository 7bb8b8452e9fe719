"""The set of signing keys: who makes it, who signs, what verifies, and for how long."""

import json

import anyio
import jwt
import pytest

from auth import records
from auth.keys.errors import KeyUnavailableError
from auth.keys.key_set import HEAD_START, KEPT, MAX_AGE, OVERLAP, PAUSE, PUBLISHED_AGE, joined, signing
from auth.keys.keys import Keys
from auth.records import KeySet
from store.protocol import StoreUnavailableError
from store.sqlite import SqliteStore
from tests.support.ailing_store import AilingStore
from tests.support.auth_server import START
from tests.support.oauth_keys import LIFETIME, SECRET, make_keys, rsa_keys, signing_key

pytestmark = pytest.mark.anyio

HEADERS = {"typ": "at+jwt"}


@pytest.fixture
async def store(tmp_path, clock):
    made = AilingStore(SqliteStore(tmp_path / "auth.db", clock))
    yield made
    await made.aclose()


def kid_of(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


async def verified_by_pyjwt(keys: Keys, token: str):
    """What an independent implementation reads with nothing but the published keys."""
    published = jwt.PyJWKSet.from_dict(await keys.jwks())
    return jwt.decode(token, published[kid_of(token)], algorithms=["RS256"])


async def test_the_first_to_sign_makes_a_key_that_everybody_verifies_with(store, clock, tmp_path):
    keys = make_keys(store, clock, folder=tmp_path / "keys")
    token = await keys.sign({"a": "ü"}, HEADERS)
    assert await verified_by_pyjwt(keys, token) == {"a": "ü"}
    assert jwt.get_unverified_header(token) == {"typ": "at+jwt", "alg": "RS256", "kid": kid_of(token)}
    assert set(await make_keys(store, clock).verification_keys()) == {kid_of(token)}


async def test_verifying_makes_no_key(store, clock, tmp_path):
    keys = make_keys(store, clock, folder=tmp_path / "keys")
    assert await keys.verification_keys() == await keys.verification_keys(refresh=True) == {}
    assert await keys.key_set() == KeySet(())
    assert not (tmp_path / "keys").exists()


async def test_many_that_start_together_agree_on_one_key_and_leave_one_file(store, clock, tmp_path):
    folder = tmp_path / "keys"
    tokens = []

    async def start():
        tokens.append(await make_keys(store, clock, folder=folder).sign({}, HEADERS))

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(start)
    (key,) = (await make_keys(store, clock).key_set()).keys
    assert {kid_of(token) for token in tokens} == {key.id}
    assert [path.name for path in folder.iterdir()] == [f"signing-{key.id}.pem"]


async def test_jwks_holds_public_members_only(store, clock, tmp_path):
    keys = await rsa_keys(store, tmp_path, clock)
    (published,) = (await keys.jwks())["keys"]
    assert published.keys() == {"kty", "n", "e", "kid", "alg", "use"}


async def test_a_rotation_lets_a_new_key_sign_after_a_head_start_and_the_old_one_verify_its_tokens(
    store, clock, tmp_path
):
    keys = await rsa_keys(store, tmp_path, clock)
    before = await keys.sign({}, HEADERS)
    new = await keys.rotate()
    assert {key["kid"] for key in (await keys.jwks())["keys"]} == {kid_of(before), new.id}
    assert kid_of(await keys.sign({}, HEADERS)) == kid_of(before)
    clock.advance(HEAD_START)
    assert kid_of(await keys.sign({}, HEADERS)) == new.id
    clock.advance(LIFETIME + OVERLAP - 1)
    assert kid_of(before) in await keys.verification_keys()
    clock.advance(1)
    assert set(await keys.verification_keys()) == {new.id}
    assert [key["kid"] for key in (await keys.jwks())["keys"]] == [new.id]


async def test_another_process_learns_of_a_rotation_before_the_old_key_stops_verifying(store, clock, tmp_path):
    keys = await rsa_keys(store, tmp_path, clock)
    other = make_keys(store, clock, folder=tmp_path)
    old = kid_of(await other.sign({}, HEADERS))
    new = await keys.rotate()
    clock.advance(MAX_AGE - 1)
    assert kid_of(await other.sign({}, HEADERS)) == old
    clock.advance(1)
    assert kid_of(await other.sign({}, HEADERS)) == new.id


async def test_rotations_at_once_lose_no_key(store, clock, tmp_path):
    first = await rsa_keys(store, tmp_path, clock)
    await first.sign({}, HEADERS)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(make_keys(store, clock, folder=tmp_path).rotate)
    keys = (await first.key_set()).keys
    assert len({key.id for key in keys}) == 4
    assert [key.until is None for key in keys] == [False, False, False, True]


async def test_an_unknown_key_makes_the_set_be_read_again_but_not_for_everybody_who_makes_one_up(
    store, clock, tmp_path
):
    keys = await rsa_keys(store, tmp_path, clock)
    other = make_keys(store, clock)
    await other.verification_keys(refresh=True)
    new = await keys.rotate()
    reads = store.reads()
    for _ in range(100):
        assert new.id not in await other.verification_keys(refresh=True)
    assert store.reads() == reads
    clock.advance(PAUSE)
    assert new.id in await other.verification_keys(refresh=True)
    # The new key had its head start: nobody was sent a token of it that this process refused.
    assert clock() < new.since


async def test_a_key_is_published_by_every_process_before_any_signs_with_it(store, clock, tmp_path):
    keys = await rsa_keys(store, tmp_path, clock)
    other = make_keys(store, clock, folder=tmp_path)
    await other.jwks()
    new = await keys.rotate()
    clock.advance(new.since - clock() - PUBLISHED_AGE)
    reads = store.reads()
    for _ in range(100):
        assert new.id in [key["kid"] for key in (await other.jwks())["keys"]]
    assert store.reads() == reads + 1
    assert kid_of(await keys.sign({}, HEADERS)) != new.id


async def test_the_set_is_read_once_in_five_minutes(store, clock, tmp_path):
    keys = await rsa_keys(store, tmp_path, clock)
    reads = store.reads()
    for _ in range(100):
        await keys.verification_keys()
    assert store.reads() == reads + 1
    clock.advance(MAX_AGE)
    await keys.verification_keys()
    assert store.reads() == reads + 2


async def test_an_unchanged_set_stays_the_same_object(store, clock, tmp_path):
    keys = await rsa_keys(store, tmp_path, clock)
    first = await keys.verification_keys()
    clock.advance(MAX_AGE)
    assert await keys.verification_keys() is first


async def test_the_last_good_set_is_kept_while_the_store_is_down(store, clock, tmp_path):
    keys = await rsa_keys(store, tmp_path, clock)
    good = await keys.verification_keys()
    store.down = True
    clock.advance(MAX_AGE * 10)
    reads = store.reads()
    for _ in range(100):
        assert await keys.verification_keys() is good
    assert store.reads() == reads + 1
    assert kid_of(await keys.sign({}, HEADERS)) in good
    store.down = False
    new = await make_keys(store, clock, folder=tmp_path).rotate()
    clock.advance(PAUSE)
    assert new.id in await keys.verification_keys()


async def test_a_store_that_never_answered_is_unavailable_and_tried_again(store, clock, tmp_path):
    await rsa_keys(store, tmp_path, clock)
    keys = make_keys(store, clock)
    store.down = True
    for _ in range(5):
        with pytest.raises(StoreUnavailableError):
            await keys.verification_keys()
    assert store.reads() == 2  # one of them looked whether there is a set already
    store.down = False
    clock.advance(5)
    assert await keys.verification_keys()


async def test_a_write_whose_answer_is_lost_leaves_one_key(store, clock, tmp_path):
    keys = make_keys(store, clock, folder=tmp_path)
    store.break_at(1, applied=True)
    with pytest.raises(StoreUnavailableError):
        await keys.sign({}, HEADERS)
    store.mend()
    token = await keys.sign({}, HEADERS)
    assert [key.id for key in (await keys.key_set()).keys] == [kid_of(token)]


class Contended(AilingStore):
    """A store in which somebody else is always faster."""

    async def insert(self, key: str, record: bytes, *, expires: int | None = None, owner: str | None = None) -> bool:
        return False


async def test_a_set_that_others_change_again_and_again_is_given_up(store, clock, tmp_path):
    with pytest.raises(StoreUnavailableError, match="again and again"):
        await make_keys(Contended(store), clock, folder=tmp_path).sign({}, HEADERS)


async def test_a_set_that_a_newer_version_wrote_is_read(store, clock, tmp_path):
    keys = await rsa_keys(store, tmp_path, clock)
    stored = await store.get(records.KEYS)
    members = json.loads(stored.record)
    members["keys"][0]["colour"] = "blue"
    await store.replace(stored, json.dumps(members).encode())
    assert (await keys.key_set()).keys == (signing_key(),)


async def test_a_shared_secret_signs_with_hs256_and_publishes_nothing(store, clock):
    keys = make_keys(store, clock, hmac_secret=SECRET)
    token = await keys.sign({"a": 1}, HEADERS)
    assert keys.algorithm == "HS256"
    assert jwt.decode(token, SECRET, algorithms=["HS256"]) == {"a": 1}
    assert await keys.jwks() is None
    (listed,) = (await keys.key_set()).keys
    assert SECRET.decode() not in str(listed)
    assert store.calls == []
    with pytest.raises(KeyUnavailableError, match="JWT_SECRET_KEY signs"):
        await keys.rotate()


@pytest.mark.parametrize("secret", [b"", b"s" * 31])
async def test_a_short_shared_secret_is_refused(store, secret):
    with pytest.raises(ValueError, match="JWT_SECRET_KEY must have 32 bytes or more"):
        make_keys(store, hmac_secret=secret)


@pytest.mark.parametrize(
    ("keys", "now", "signs"),
    [
        ((), 100, None),
        (((0, 200, None),), 100, 0),
        (((0, 50, None),), 100, 0),
        (((0, 50, 500), (1, 101, None)), 100, 0),
        (((0, 50, 500), (1, 100, None)), 100, 1),
        (((0, 50, 500), (1, 60, 500), (2, 101, None)), 100, 1),
    ],
)
def test_the_newest_key_signs_that_had_its_head_start(keys, now, signs):
    made = KeySet(tuple(signing_key(*key) for key in keys))
    found = signing(made, now)
    assert found == (None if signs is None else made.keys[signs])


def test_a_key_that_joins_ends_the_one_before_and_no_other():
    ended, last, new = signing_key(0, 0, START + 5), signing_key(1, 10), signing_key(2, START)
    after = joined(KeySet((ended, last)), new, access_token=600, now=START, keep=())
    assert after.keys == (ended, last._replace(until=START + 600 + OVERLAP), new)


@pytest.mark.parametrize(("age", "keep", "listed"), [(KEPT - 1, False, True), (KEPT, False, False), (KEPT, True, True)])
def test_a_key_that_ended_long_ago_is_dropped_unless_the_settings_name_it(age, keep, listed):
    old = signing_key(0, 0, START - age)
    keep = {old.private} if keep else ()
    after = joined(KeySet((old, signing_key(1))), signing_key(2, START), access_token=600, now=START, keep=keep)
    assert (old in after.keys) is listed
