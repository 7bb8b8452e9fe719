"""The issuer's keys as one process knows them: their age, their rotation, and what is kept while they cannot be had."""

import anyio
import pytest

from auth.errors import TemporarilyUnavailableError
from auth.verify.authenticator import RefusedError
from auth.verify.fetching import NoDocumentError
from auth.verify.provider_keys import AGES, ProviderKeys
from tests.auth.verify.conftest import KEYS_URL, keys_url
from tests.auth.verify.test_provider import principal, refusal
from tests.support.issuer import jwk
from tests.support.oauth_keys import private_key

pytestmark = pytest.mark.anyio

NEW = private_key(1)


async def test_the_set_is_fetched_when_a_token_first_needs_it_and_kept_for_ten_minutes(made, issuer, documents, clock):
    authenticator = made()
    assert documents.asked == []
    for _ in range(3):
        await principal(authenticator, issuer.token())
    clock.advance(AGES.most - 1)
    await principal(authenticator, issuer.token())
    assert documents.asked == [KEYS_URL]
    clock.advance(1)
    await principal(authenticator, issuer.token())
    assert documents.asked == [KEYS_URL] * 2
    assert AGES.most == 600


@pytest.mark.parametrize("seconds", [7 * 24 * 3600, -3600])
async def test_who_wakes_up_with_another_time_reads_again(provider_keys, documents, clock, seconds):
    await provider_keys.get()
    clock.advance(seconds)
    await provider_keys.get()
    assert len(documents.asked) == 2


async def test_a_new_key_is_found_at_once(made, issuer, documents):
    authenticator = made()
    await principal(authenticator, issuer.token())
    issuer.keys.append(jwk(NEW, kid="new"))
    assert await principal(authenticator, issuer.token(NEW, header={"kid": "new"}))
    assert len(documents.asked) == 2


async def test_a_made_up_key_makes_nobody_fetch_more_than_once_in_half_a_minute(made, issuer, documents, clock):
    authenticator = made()
    await principal(authenticator, issuer.token())
    for number in range(20):
        await refusal(authenticator, issuer.token(NEW, header={"kid": f"made-up-{number}"}))
    assert len(documents.asked) == 2
    clock.advance(AGES.pause - 1)
    await refusal(authenticator, issuer.token(NEW, header={"kid": "made-up"}))
    assert len(documents.asked) == 2
    clock.advance(1)
    await refusal(authenticator, issuer.token(NEW, header={"kid": "made-up"}))
    assert len(documents.asked) == 3
    assert AGES.pause == 30


async def test_must_not_14_a_key_that_left_the_set_takes_its_tokens_along_though_they_were_verified(
    made, issuer, clock
):
    authenticator, token = made(), issuer.token(exp=clock() + 7200)
    assert await principal(authenticator, token)
    issuer.keys[:] = [jwk(NEW, kid="new")]
    assert await principal(authenticator, token)
    clock.advance(AGES.most)
    assert "not publish" in (await refusal(authenticator, token)).description


@pytest.mark.parametrize("kid", ["key-0", None])
async def test_another_key_under_the_same_name_or_none_is_found_at_once_and_ends_what_the_first_signed(
    made, issuer, clock, kid
):
    authenticator, header = made(), {"kid": kid}
    token = issuer.token(exp=clock() + 7200, header=header)
    assert await principal(authenticator, token)
    issuer.keys[:] = [jwk(NEW, kid=kid)]
    assert await principal(authenticator, issuer.token(NEW, header=header))
    assert "signature" in (await refusal(authenticator, token)).description


async def test_an_equal_set_keeps_what_was_verified(provider_keys, issuer, documents, clock):
    first = await provider_keys.get()
    documents.at[KEYS_URL] = {"keys": [dict(key) for key in issuer.keys]}
    clock.advance(AGES.most)
    assert await provider_keys.get() is first


@pytest.mark.parametrize(
    "failure", [NoDocumentError("down"), {"keys": "none"}, {}, {"error": "oops"}, {"keys": {"0": {}}}], ids=str
)
async def test_the_last_good_set_is_kept_while_none_can_be_had(made, issuer, documents, clock, failure):
    authenticator = made()
    await principal(authenticator, issuer.token())
    documents.at[KEYS_URL] = failure
    clock.advance(24 * 3600)
    assert await principal(authenticator, issuer.token())
    assert await principal(authenticator, issuer.token())
    assert len(documents.asked) == 2
    clock.advance(AGES.retry)
    assert await principal(authenticator, issuer.token())
    assert len(documents.asked) == 3


async def test_a_failure_is_told_to_the_operator(provider_keys, documents, events):
    documents.at[KEYS_URL] = NoDocumentError("issuer.example answers 500")
    with pytest.raises(TemporarilyUnavailableError):
        await provider_keys.get()
    (event,) = events
    assert (event.name, event.alarming) == ("provider_unavailable", True)
    assert event.details == {"what": "keys", "reason": "issuer.example answers 500"}


async def test_where_there_never_was_a_set_it_is_soon_tried_again(provider_keys, documents, issuer, clock):
    documents.at[KEYS_URL] = NoDocumentError("down")
    for _ in range(3):
        with pytest.raises(TemporarilyUnavailableError):
            await provider_keys.get()
    assert len(documents.asked) == 1
    documents.at[KEYS_URL] = {"keys": issuer.keys}
    clock.advance(AGES.first_retry)
    assert len(await provider_keys.get()) == 1


async def test_fifty_at_once_fetch_once(made, issuer, documents):
    authenticator, documents.held, let_in = made(), anyio.Event(), []

    async def come() -> None:
        let_in.append(await principal(authenticator, issuer.token()))

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(come)
        await anyio.wait_all_tasks_blocked()
        documents.held.set()
    assert (len(let_in), documents.asked) == (50, [KEYS_URL])


async def test_fifty_with_made_up_keys_fetch_once_more(made, issuer, documents):
    authenticator, refused = made(), []
    await principal(authenticator, issuer.token())
    documents.held = anyio.Event()

    async def come(number: int) -> None:
        with pytest.raises(RefusedError):
            await principal(authenticator, issuer.token(header={"kid": f"made-up-{number}"}))
        refused.append(number)

    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(come, number)
        await anyio.wait_all_tasks_blocked()
        documents.held.set()
    assert (len(refused), len(documents.asked)) == (50, 2)


async def test_who_gives_up_leaves_the_fetch_to_the_next(provider_keys, documents):
    documents.held = anyio.Event()
    with anyio.move_on_after(0):
        await provider_keys.get()
    documents.held.set()
    assert len(await provider_keys.get()) == 1


async def test_where_nobody_tells_the_sets_place_there_are_no_keys(documents, clock):
    async def nowhere() -> str:
        raise TemporarilyUnavailableError("not now")

    with pytest.raises(TemporarilyUnavailableError):
        await ProviderKeys(documents, nowhere, ("RS256",), clock).get()
    assert documents.asked == []
    assert await keys_url()
