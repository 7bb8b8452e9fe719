"""What becomes of a refresh token, by tables; times are seconds after the grant was redeemed."""

import pytest

from auth.records import Grant, Revocation
from auth.server.rotation import Dead, Decision, Retry, Reuse, Rotate, TooMany, decide, rotated

GRACE = 60
LIFETIME = 1000
ONCE_AT_100 = {"generation": 1, "rotations": (100,), "last_used": 100}
THRICE = {"generation": 3, "rotations": (100, 130, 150), "last_used": 150}
EIGHT = tuple(range(100, 180, 10))
NINE_TIMES = {"generation": 9, "rotations": (10, 20, 30, 40, 50, 60, 70, 80), "last_used": 80}


def grant(**changes: object) -> Grant:
    made = Grant("id", "user", 0, "client", "App", ("mcp.read",), "https://mcp.example/mcp", 0, seed="seed")
    return made._replace(**{"last_used": 0, **changes})


def judged(grant: Grant, generation: int, now: int, *, raced: bool = False) -> tuple[object, ...]:
    return exactly(decide(grant, generation, now, grace=GRACE, lifetime=LIFETIME, raced=raced))


def exactly(decision: Decision) -> tuple[object, ...]:
    """A decision with its kind: two that hold nothing are equal as tuples."""
    return type(decision), *decision


@pytest.mark.parametrize(
    ("changes", "generation", "now", "decision"),
    [
        ({}, 0, 1, Rotate()),
        (ONCE_AT_100, 1, 101, Rotate()),
        (ONCE_AT_100, 0, 100, Retry()),
        (ONCE_AT_100, 0, 160, Retry()),
        (ONCE_AT_100, 0, 161, Reuse()),
        (THRICE, 0, 160, Retry()),
        (THRICE, 0, 161, Reuse()),
        (THRICE, 1, 161, Retry()),
        (THRICE, 2, 210, Retry()),
        (THRICE, 2, 211, Reuse()),
        (NINE_TIMES, 1, 70, Retry()),
        (NINE_TIMES, 0, 70, Reuse()),
        (ONCE_AT_100, 2, 101, Dead()),
        ({}, 0, LIFETIME - 1, Rotate()),
        ({}, 0, LIFETIME, Dead()),
        (ONCE_AT_100, 1, 99 + LIFETIME, Rotate()),
        (ONCE_AT_100, 1, 100 + LIFETIME, Dead()),
        ({"refreshable": False}, 0, 1, Dead()),
        ({"revoked": Revocation(1, "why")}, 0, 2, Dead()),
        ({**ONCE_AT_100, "revoked": Revocation(1, "why")}, 0, 101, Dead()),
        ({**ONCE_AT_100, "revoked": Revocation(1, "why")}, 0, 500, Dead()),
    ],
)
def test_a_refresh_token_is_judged_by_its_generation_and_the_clock(
    changes: dict[str, object], generation: int, now: int, decision: Decision
) -> None:
    assert judged(grant(**changes), generation, now) == exactly(decision)


@pytest.mark.parametrize(("now", "wait"), [(171, 0), (160, 0), (159, 1), (155, 5), (130, 30)])
def test_a_ninth_rotation_within_a_minute_waits_until_the_first_is_a_minute_old(now: int, wait: int) -> None:
    looping = grant(generation=8, rotations=tuple(range(100, 108)), last_used=107)
    expected = TooMany(wait) if wait else Rotate()
    assert judged(looping, 8, now) == exactly(expected)


def test_a_client_in_a_loop_may_still_have_the_current_token_again() -> None:
    looping = grant(generation=8, rotations=tuple(range(100, 108)), last_used=107)
    assert judged(looping, 7, 110) == exactly(Retry())


@pytest.mark.parametrize("now", [0, 1, 40, 99])
def test_a_clock_that_was_set_back_locks_nobody_out(now: int) -> None:
    looping = grant(generation=8, rotations=EIGHT, last_used=170)
    assert judged(looping, 7, now) == exactly(Retry())
    assert judged(looping, 8, now)[0] not in (Dead, Reuse)
    assert judged(looping, 8, now - 3600) == exactly(Rotate())


@pytest.mark.parametrize("now", [101, 160, 161, 900])
def test_the_loser_of_a_race_is_a_retry_however_late_it_learns_of_it(now: int) -> None:
    assert judged(grant(**ONCE_AT_100), 0, now, raced=True) == exactly(Retry())


def test_the_loser_of_a_race_against_a_revocation_gets_nothing() -> None:
    ended = grant(**ONCE_AT_100, revoked=Revocation(100, "why"))
    assert judged(ended, 0, 101, raced=True) == exactly(Dead())


def test_a_rotation_makes_the_next_generation_and_remembers_the_last_eight() -> None:
    after = rotated(grant(generation=8, rotations=EIGHT), 500)
    assert (after.generation, after.last_used) == (9, 500)
    assert after.rotations == (*EIGHT[1:], 500)
