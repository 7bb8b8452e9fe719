"""Several ways in at once: which one decides."""

import pytest

from auth.principal import ANONYMOUS, Principal
from auth.verify.authenticator import RefusedError
from auth.verify.chain import ChainAuthenticator
from auth.verify.noauth import NoAuthenticator
from store.protocol import StoreUnavailableError

pytestmark = pytest.mark.anyio

SCOPE = {"type": "http", "headers": [], "query_string": b""}


class Way:
    """An authenticator that gives or raises what it was made with, and tells whether it was asked."""

    def __init__(self, outcome: Principal | Exception) -> None:
        self.outcome = outcome
        self.asked = 0

    async def authenticate(self, _scope: object) -> Principal:
        self.asked += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def absent(description: str = "Sign in.") -> Way:
    return Way(RefusedError(None, description))


async def test_the_first_whose_credentials_are_there_decides():
    first, second, third = absent(), Way(Principal("bob")), Way(Principal("eve"))
    assert await ChainAuthenticator([first, second, third]).authenticate(SCOPE) == Principal("bob")
    assert [way.asked for way in (first, second, third)] == [1, 1, 0]


@pytest.mark.parametrize(
    "outcome",
    [RefusedError("invalid_token", "no"), RefusedError("invalid_request", "no", 400), StoreUnavailableError("down")],
)
async def test_bad_credentials_are_not_tried_as_another_kind(outcome):
    lenient = Way(ANONYMOUS)
    with pytest.raises(type(outcome)) as raised:
        await ChainAuthenticator([Way(outcome), lenient]).authenticate(SCOPE)
    assert raised.value is outcome
    assert lenient.asked == 0


async def test_without_credentials_the_first_way_says_how_to_sign_in():
    with pytest.raises(RefusedError, match="Bring a token") as raised:
        await ChainAuthenticator([absent("Bring a token."), absent("Sign with SigV4.")]).authenticate(SCOPE)
    assert raised.value.error is None


async def test_a_way_for_everybody_comes_last():
    assert await ChainAuthenticator([absent(), NoAuthenticator()]).authenticate(SCOPE) == ANONYMOUS


async def test_no_way_at_all_lets_nobody_in():
    with pytest.raises(RefusedError, match="Nobody"):
        await ChainAuthenticator([]).authenticate(SCOPE)
