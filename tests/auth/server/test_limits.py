"""How often something may be tried, counted by the store."""

import pytest

from auth.errors import TooManyRequestsError
from auth.server.config import Limits
from auth.server.limits import RateLimits, network
from store.sqlite import SqliteStore

pytestmark = pytest.mark.anyio

HERE = "192.0.2.1"


@pytest.fixture
def limits(store, clock, events):
    return RateLimits(store, Limits(), events.append, clock)


async def allowed(method, *args, most=100):
    """How many in a row are allowed, and what the first one that is not is told."""
    for count in range(most):
        try:
            await method(*args)
        except TooManyRequestsError as error:
            return count, error
    return most, None


async def test_must_23_five_sign_ins_a_minute_per_user_from_wherever(limits, clock):
    for number in range(5):
        await limits.sign_in("ann", f"192.0.2.{number}")
    clock.advance(13)
    with pytest.raises(TooManyRequestsError) as refused:
        await limits.sign_in(" ANN ", "192.0.2.99")
    assert (refused.value.status, refused.value.retry_after) == (429, 60 - 13)
    await limits.sign_in("bob", "192.0.2.99")
    clock.advance(47)
    await limits.sign_in("ann", "192.0.2.99")


async def test_must_23_twenty_sign_ins_a_minute_per_address_for_whomever(limits, clock):
    for number in range(20):
        await limits.sign_in(f"user{number}", HERE)
    count, _ = await allowed(limits.sign_in, "ann", HERE)
    assert count == 0
    # An address beyond its limit does not use up what users have from elsewhere.
    assert (await allowed(limits.sign_in, "ann", "192.0.2.2"))[0] == 5
    clock.advance(60)
    await limits.sign_in("bob", HERE)


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("2001:DB8::1", "2001:db8:0:0::2", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "unix:/run/socket", True),
        ("<script>", "x" * 5000, True),
    ],
)
async def test_must_23_what_counts_as_one_address(first, second, together):
    assert (network(first) == network(second)) is together


async def test_must_22_ten_registrations_an_hour_per_address(limits, clock):
    count, refused = await allowed(limits.registration, "2001:db8::1")
    assert (count, refused.retry_after) == (10, 3600)
    assert (await allowed(limits.registration, "2001:db8::2"))[0] == 0
    assert (await allowed(limits.registration, "2001:db8:1::1"))[0] == 10
    clock.advance(3599.5)
    with pytest.raises(TooManyRequestsError) as late:
        await limits.registration("2001:db8::1")
    assert late.value.retry_after == 1
    clock.advance(0.5)
    await limits.registration("2001:db8::1")


async def test_sixty_token_requests_a_minute_per_client(limits):
    count, refused = await allowed(limits.token, "https://client.example/" + "x" * 3000, HERE)
    assert (count, refused.retry_after) == (60, 60)
    await limits.token("another", HERE)
    await limits.token("\ud800", HERE)


async def test_a_stranger_uses_up_nobodys_token_requests(limits):
    assert (await allowed(limits.token, "https://app.example/client.json", "203.0.113.9"))[0] == 60
    await limits.token("https://app.example/client.json", HERE)


async def test_the_numbers_are_settings(store, clock, events):
    limits = RateLimits(
        store, Limits(1, 2, token_requests_per_client=3, registrations_per_address=4), events.append, clock
    )
    assert (await allowed(limits.sign_in, "ann", HERE))[0] == 1
    assert (await allowed(limits.sign_in, "bob", HERE))[0] == 0  # the second of ann's counts for the address too
    assert (await allowed(limits.token, "app", HERE))[0] == 3
    assert (await allowed(limits.registration, HERE))[0] == 4


async def test_must_15_two_instances_share_the_count(limits, tmp_path, clock):
    other_store = SqliteStore(tmp_path / "auth.db", clock)
    other = RateLimits(other_store, Limits(), lambda _event: None, clock)
    for number in range(60):
        await (limits, other)[number % 2].token("app", HERE)
    assert (await allowed(limits.token, "app", HERE))[0] == (await allowed(other.token, "app", HERE))[0] == 0
    await other_store.aclose()


async def test_a_limit_is_told_once_in_a_window_and_names_no_user(limits, events):
    await allowed(limits.sign_in, "my secret password", HERE)
    for _ in range(5):
        await allowed(limits.sign_in, "my secret password", HERE)
    assert [(event.name, event.details["what"]) for event in events] == [("rate_limited", "sign_in_user")]
    assert "secret" not in repr(events)


async def test_must_10_what_was_typed_as_a_name_is_not_stored(limits, tmp_path):
    await limits.sign_in("typed into the wrong field", HERE)
    assert b"wrong field" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
