import pytest

from auth.records import Grant
from auth.server.refresh_token import Presented, is_ours, parse, write

KEY, OLD_KEY = b"k" * 32, b"o" * 32
ID = "0123456789abcdef" * 2
GRANT = Grant(ID, "user", 0, "app", "App", (), "https://mcp.example/mcp", 0, seed="5eed", generation=3)


def presented(token: str) -> Presented:
    found = parse(token)
    assert found
    return found


def test_a_token_is_the_grants_whatever_its_generation() -> None:
    for generation in (0, 3, 7):
        token = write(KEY, GRANT._replace(generation=generation))
        assert presented(token)[:2] == (ID, generation)
        assert is_ours(presented(token), GRANT, [KEY])


def test_a_token_of_the_server_key_before_is_the_grants_until_that_key_is_forgotten() -> None:
    token = presented(write(OLD_KEY, GRANT))
    assert is_ours(token, GRANT, [KEY, OLD_KEY])
    assert not is_ours(token, GRANT, [KEY])


@pytest.mark.parametrize("other", [GRANT._replace(seed="feed"), GRANT._replace(id="f" * 32), GRANT._replace(seed="")])
def test_a_token_is_bound_to_the_id_and_the_seed_of_its_grant(other: Grant) -> None:
    assert not is_ours(presented(write(KEY, GRANT)), other, [KEY])


def test_what_is_stored_of_a_pending_grant_mints_nothing() -> None:
    pending = GRANT._replace(seed="")
    assert not is_ours(presented(write(KEY, pending)), pending, [KEY])


def test_a_generation_cannot_be_exchanged_for_another() -> None:
    grant_id, _, tag = write(KEY, GRANT).split(".")
    assert not is_ours(presented(f"{grant_id}.4.{tag}"), GRANT, [KEY])


@pytest.mark.parametrize(
    "token",
    [
        "",
        "..",
        f"{ID}.3",
        f"{ID}.03.{'t' * 43}",
        f"{ID}.-1.{'t' * 43}",
        f"{ID}.+1.{'t' * 43}",
        f"{ID}.99999999999.{'t' * 43}",
        f"{ID}.٣.{'t' * 43}",
        f"{ID.upper()}.3.{'t' * 43}",
        f"{ID}.3.{'t' * 42}",
        f"{ID}.3.{'t' * 43}\n",
        f"{ID}.3.{'é' * 43}",
        f" {ID}.3.{'t' * 43}",
    ],
)
def test_what_was_never_a_token_is_none(token: str) -> None:
    assert parse(token) is None
