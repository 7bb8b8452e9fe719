"""Two issuers' bearer tokens: each asks exactly one authenticator, whatever that one says."""

import pytest

from auth.base64url import encode
from auth.principal import Principal
from auth.verified_tokens import LONGEST
from auth.verify.authenticator import RefusedError
from auth.verify.by_issuer import ByIssuer, claimed_issuer
from tests.auth.verify.conftest import ISSUER
from tests.auth.verify.test_chain import Way
from tests.auth.verify.test_provider import carrying

pytestmark = pytest.mark.anyio


def token_of(payload: bytes) -> str:
    return f"{encode(b'{}')}.{encode(payload)}.{encode(b'x')}"


THEIRS = token_of(f'{{"iss":"{ISSUER}"}}'.encode())


async def test_a_token_goes_to_the_one_whose_issuer_it_names(issuer):
    for token in (THEIRS, issuer.token()):
        named, other = Way(Principal("theirs")), Way(Principal("ours"))
        assert await ByIssuer(ISSUER, named, other).authenticate(carrying(token)) == Principal("theirs")
        assert (named.asked, other.asked) == (1, 0)


@pytest.mark.parametrize(
    "token",
    [
        token_of(b'{"iss":"https://mcp.example"}'),
        token_of(f'{{"iss":"{ISSUER}/"}}'.encode()),
        token_of(f'{{"iss":["{ISSUER}"]}}'.encode()),
        token_of(f'{{"iss":"{ISSUER}","iss":"{ISSUER}"}}'.encode()),
        token_of(b"{}"),
        token_of(b"[]"),
        "forged",
        "a.b.c",
        THEIRS + "x" * LONGEST,
    ],
)
async def test_any_other_goes_to_the_other(token):
    named, other = Way(Principal("theirs")), Way(Principal("ours"))
    assert await ByIssuer(ISSUER, named, other).authenticate(carrying(token)) == Principal("ours")
    assert (named.asked, other.asked) == (0, 1)


@pytest.mark.parametrize("token", [THEIRS, "forged"])
async def test_nobody_gets_a_second_chance(token):
    refused = RefusedError("invalid_token", "no")
    ways = Way(refused), Way(refused)
    with pytest.raises(RefusedError):
        await ByIssuer(ISSUER, *ways).authenticate(carrying(token))
    assert sum(way.asked for way in ways) == 1


async def test_who_sends_no_token_is_asked_to_sign_in_and_nobody_else_is_asked():
    ways = Way(Principal("theirs")), Way(Principal("ours"))
    with pytest.raises(RefusedError) as raised:
        await ByIssuer(ISSUER, *ways).authenticate({"type": "http", "headers": [], "query_string": b""})
    assert raised.value.error is None
    assert [way.asked for way in ways] == [0, 0]


def test_a_token_that_is_not_ascii_names_nobody():
    assert claimed_issuer("é.é.é") is None
