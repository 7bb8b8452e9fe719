"""Which passwords may be chosen, and how they are kept."""

import bcrypt
import pytest

from auth.passwords import LEAST_COST, PUBLISHED, Passwords, UnfitPasswordError, check_new, nobodys, published
from auth.server.config import Config

CHEAP = Passwords(4)
GOOD = "correct horse battery"


@pytest.mark.parametrize(
    "password", [GOOD, "x" * 12, "x" * 1024, "\u00e9" * 12, "zw\u00f6lf Zeichen", "\U0001f40e" * 12]
)
def test_a_long_password_may_be_chosen(password):
    check_new(password, "ann")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "at least 12"),
        ("x" * 11, "at least 12"),
        ("e\u0301" * 11, "at least 12"),
        ("x" * 1025, "at most 1024 bytes"),
        ("\U0001f40e" * 257, "at most 1024 bytes"),
        (" " * 12, "not blank"),
        ("\u2003" * 12, "not blank"),
        ("twelve chars\n", "control"),
        ("twelve\x00chars!", "control"),
        ("twelve chars\ud800", "control"),
        ("ann@example.com", "not the username"),
        ("Ann@Example.COM", "not the username"),
        (" \uff21nn@example.com ", "not the username"),
    ],
)
def test_what_is_easily_guessed_or_never_typed_again_is_refused(password, why):
    with pytest.raises(UnfitPasswordError, match=why) as refusal:
        check_new(password, "ann@example.com")
    assert not password or password not in str(refusal.value)


def test_must_24_the_published_password_cannot_be_chosen():
    assert published(PUBLISHED)
    assert not published(GOOD)
    assert not published("\ud800")
    with pytest.raises(UnfitPasswordError, match="in the documentation"):
        check_new(PUBLISHED, "ann")


@pytest.mark.anyio
@pytest.mark.parametrize("password", [GOOD, "", "x" * 5000, "a\x00b", "\ud800", "\u00e9"])
async def test_a_password_is_good_for_its_own_hash_only(password):
    hashed = await CHEAP.hashed(password)
    assert await CHEAP.matches(password, hashed)
    assert not await CHEAP.matches(password + "x", hashed)


@pytest.mark.anyio
async def test_what_bcrypt_would_cut_off_still_counts():
    hashed = await CHEAP.hashed("x" * 72 + "one")
    assert not await CHEAP.matches("x" * 72 + "two", hashed)
    hashed = await CHEAP.hashed("same\x00one")
    assert not await CHEAP.matches("same\x00two", hashed)


@pytest.mark.anyio
async def test_a_keyboard_that_writes_accents_apart_signs_in_too():
    assert await CHEAP.matches("Ame\u0301lie", await CHEAP.hashed("Am\u00e9lie"))


@pytest.mark.anyio
async def test_must_10_passwords_are_kept_as_salted_bcrypt_of_cost_12():
    passwords = Passwords(Config().password_cost)
    first, second = await passwords.hashed(GOOD), await passwords.hashed(GOOD)
    assert first.startswith(f"$2b${LEAST_COST}$")
    assert Config().password_cost >= LEAST_COST >= 12
    assert first != second
    assert GOOD not in first


@pytest.mark.anyio
async def test_must_23_nobodys_hash_is_as_much_work_as_a_users():
    ours, nobodys_own = await Passwords(5).hashed(GOOD), nobodys(5)
    assert len(nobodys_own) == len(ours) == 60
    assert nobodys_own[:7] == ours[:7] == "$2b$05$"
    # bcrypt takes it for a salt and a cost: the work is done, and not refused at sight.
    assert bcrypt.hashpw(b"x", nobodys_own.encode()).decode()[:29] == nobodys_own[:29]
    assert nobodys(12)[:7] == "$2b$12$"


@pytest.mark.anyio
async def test_nobodys_hash_is_never_a_match():
    assert not await CHEAP.matches(GOOD, None)
    assert not await CHEAP.matches("", None)


@pytest.mark.anyio
async def test_a_hash_made_with_less_work_is_seen():
    hashed = await CHEAP.hashed(GOOD)
    assert Passwords(5).outdated(hashed)
    assert not CHEAP.outdated(hashed)
