"""What becomes of an authorization code, by tables; times are seconds after it was issued."""

from typing import Any

import pytest

from auth.errors import InvalidGrantError, InvalidTargetError, OAuthError
from auth.records import Code, Grant, Revocation
from auth.server import authorization_code
from auth.server.pkce import challenge_of
from auth.server.redemption import Redeem, Refuse, Replay, Request, decide, redeemed

SECRET = "s" * 43
VERIFIER = "v" * 43
MARK = 3600
RIGHT = Request(SECRET, "app", "https://app.example/cb", VERIFIER, None)
CODE = Code(authorization_code.hash_of(SECRET), challenge_of(VERIFIER), "https://app.example/cb", 60)
PENDING = Grant("id", "user", 0, "app", "App", ("mcp.read",), "https://mcp.example/mcp", 0, code=CODE)
USED = PENDING._replace(code=CODE._replace(redeemed=10), seed="seed")
ENDED = USED._replace(revoked=Revocation(20, "why"))
DENIED = PENDING._replace(revoked=Revocation(20, "why"))
CODELESS = PENDING._replace(code=None)

WRONG: list[tuple[dict[str, Any], type[OAuthError]]] = [
    ({"secret": "x" * 43}, InvalidGrantError),
    ({"client_id": "another"}, InvalidGrantError),
    ({"redirect_uri": "https://app.example/cb/"}, InvalidGrantError),
    ({"redirect_uri": "https://app.example/CB"}, InvalidGrantError),
    ({"verifier": "w" * 43}, InvalidGrantError),
    ({"verifier": ""}, InvalidGrantError),
    ({"verifier": challenge_of(VERIFIER)}, InvalidGrantError),
    ({"resource": "https://mcp.example/sse"}, InvalidTargetError),
]


@pytest.mark.parametrize("resource", [None, "https://mcp.example/mcp"])
@pytest.mark.parametrize("now", [0, 59])
def test_a_right_request_redeems_a_pending_grant(now: int, resource: str | None) -> None:
    assert isinstance(decide(PENDING, RIGHT._replace(resource=resource), now, mark=MARK), Redeem)


@pytest.mark.parametrize(
    ("grant", "now"), [(PENDING, 60), (USED, 10 + MARK), (ENDED, 30), (ENDED, 10 + MARK), (DENIED, 30), (CODELESS, 0)]
)
def test_a_code_that_expired_was_forgotten_or_belongs_to_an_ended_grant_is_refused(grant: Grant, now: int) -> None:
    assert isinstance(decide(grant, RIGHT, now, mark=MARK), Refuse)


@pytest.mark.parametrize("now", [10, 11, 70, 9 + MARK])
def test_a_right_request_for_a_used_code_is_a_replay_for_an_hour(now: int) -> None:
    assert isinstance(decide(USED, RIGHT, now, mark=MARK), Replay)


@pytest.mark.parametrize("grant", [PENDING, USED, ENDED])
@pytest.mark.parametrize(("changes", "error"), WRONG)
def test_a_wrong_request_is_refused_whether_or_not_the_code_was_used(
    grant: Grant, changes: dict[str, Any], error: type[OAuthError]
) -> None:
    refused = decide(grant, RIGHT._replace(**changes), 20, mark=MARK)
    assert isinstance(refused, Refuse)
    assert type(refused.error) is error


def test_a_redeemed_grant_remembers_when_and_has_a_seed() -> None:
    active = redeemed(PENDING, "seed", 30)
    assert active.code
    assert (active.code.redeemed, active.seed, active.last_used, active.generation) == (30, "seed", 30, 0)
