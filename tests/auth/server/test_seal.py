"""Seals, form tokens and what else binds a page to its browser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.errors import InvalidRequestError
from auth.events import ignore
from auth.keys.server_key import SealingSecrets, ServerKey
from auth.server.authorization_request import FIELDS, asked, parse_query
from auth.server.config import Config
from auth.server.cookies import cookie_name
from auth.server.csrf import TOKEN_LENGTH, bound, form_token, is_bound, posted_by_own_page, token_fits
from auth.server.seal import BrokenSealError, ExpiredSealError, seal, sealed, unseal, unsealed
from store.sqlite import SqliteStore
from tests.support.auth_server import SECRET, Clock, Secrets, make_server

KEY, OTHER = b"k" * 32, b"o" * 32
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT, st.integers(1, 2**40))
def test_what_was_sealed_comes_back_until_it_expires(value, expires):
    sealed = seal(KEY, value, expires)
    assert unseal([OTHER, KEY], sealed, expires - 1) == value
    with pytest.raises(ExpiredSealError):
        unseal([KEY], sealed, expires)


@given(st.data())
def test_no_change_of_a_seal_goes_unnoticed(data):
    sealed = seal(KEY, "client_id=app", 10)
    place = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.sampled_from("aA0-_.=é"))
    changed = sealed[:place] + letter + sealed[place + 1 :]
    if changed == sealed:
        assert unseal([KEY], changed, 0) == "client_id=app"
    else:
        with pytest.raises(BrokenSealError):
            unseal([KEY], changed, 0)


@given(st.text())
def test_what_was_never_sealed_is_broken_whatever_it_is(text):
    with pytest.raises(BrokenSealError):
        unseal([KEY], text, 0)


def test_a_seal_of_another_key_is_broken():
    with pytest.raises(BrokenSealError):
        unseal([OTHER], seal(KEY, "value", 10), 0)


def test_a_form_token_fits_its_own_cookie_and_key_only():
    token = form_token(KEY, "cookie")
    assert len(token) == TOKEN_LENGTH
    assert token_fits([OTHER, KEY], "cookie", token)
    assert not token_fits([OTHER], "cookie", token)
    assert not token_fits([KEY], "cookies", token)
    assert not token_fits([KEY], "cookie", "")
    assert not token_fits([KEY], "cookie", "é")


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"sec-fetch-site": "same-origin", "origin": "https://a.example"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "https://a.example"}, True),
        ({"sec-fetch-site": "same-site", "origin": "https://a.example"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://b.example"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": ""}, False),
        ({"origin": "https://a.example.evil.example"}, False),
        ({"origin": "http://a.example"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
)
def test_only_a_browser_tells_that_a_form_came_from_our_own_page(headers, own):
    assert posted_by_own_page(headers, "https://a.example") is own


def test_cookies_have_the_host_prefix_on_https_only():
    assert cookie_name("mcpx-session", "https://a.example") == "__Host-mcpx-session"
    assert cookie_name("mcpx-session", "http://127.0.0.1:8000") == "mcpx-session"


def test_parameters_without_a_value_count_as_left_out():
    assert parse_query(b"state=&scope=a%20b&x").values == {"scope": "a b"}


def test_repeated_parameters_are_known_by_name():
    wanted = asked([("a", "1"), ("b", "2"), ("a", "1")])
    assert wanted.repeated == {"a"}
    with pytest.raises(InvalidRequestError):
        wanted.one("a")
    assert wanted.one("b") == "2"


@pytest.mark.parametrize("query", [b"\xff", b"a=%ff", b"a=1" + b"&b=1" * FIELDS])
def test_a_query_that_cannot_be_read_is_refused(query):
    with pytest.raises(InvalidRequestError):
        parse_query(query)


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_a_request_survives_its_way_through_the_sign_in(pairs):
    wanted = asked([*pairs, ("state", "s"), ("client_id", "app")])
    again = parse_query(wanted.query().encode())
    assert again.values["client_id"] == wanted.values["client_id"]
    assert again.query() == wanted.query()


class Cached:
    """Secrets as an instance holds them that has not looked for newer ones lately."""

    def __init__(self, held: str, newer: str) -> None:
        self.held, self.newer = held, newer

    async def __call__(self, *, refresh: bool = False) -> SealingSecrets:
        return SealingSecrets(self.newer, self.held) if refresh else SealingSecrets(self.held)


@pytest.mark.anyio
async def test_what_an_instance_with_a_newer_secret_sealed_opens_here(tmp_path):
    store, clock = SqliteStore(tmp_path / "auth.db"), Clock()
    newer = "the newer of the two secrets of this server"
    made = {"config": Config(), "events": ignore}
    ours = make_server(store, clock, server_key=ServerKey(source=Cached(SECRET, newer)), **made)
    theirs = make_server(store, clock, secrets=Secrets(newer), **made)
    assert await unsealed(ours, "purpose", await sealed(theirs, "purpose", "value", 60)) == "value"
    assert await is_bound(ours, "purpose", "cookie", await bound(theirs, "purpose", "cookie"))
    assert not await is_bound(ours, "purpose", "cookie", await bound(theirs, "other", "cookie"))
    with pytest.raises(BrokenSealError):
        await unsealed(ours, "purpose", await sealed(theirs, "other", "value", 60))
