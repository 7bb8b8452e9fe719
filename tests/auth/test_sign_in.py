"""When a lock begins, how it grows, and when failures are forgotten."""

import pytest

from auth.records import Attempts
from auth.server.config import DAY, HOUR, MINUTE, Limits
from auth.sign_in import charged, forgotten_at, seconds_locked

NOW = 1_800_000_000
LIMITS = Limits()


@pytest.mark.parametrize(
    ("failures", "lock"),
    [
        (0, 0),
        (3, 0),
        (4, MINUTE),
        (5, 2 * MINUTE),
        (6, 4 * MINUTE),
        (9, 32 * MINUTE),
        (10, HOUR),
        (11, HOUR),
        (10_000, HOUR),
    ],
)
def test_must_23_the_lock_begins_with_the_fifth_failure_and_doubles_up_to_an_hour(failures, lock):
    after = charged(Attempts(failures, NOW), NOW, LIMITS)
    assert after.failures == failures + 1
    assert seconds_locked(after, NOW) == lock


def test_the_limits_decide():
    limits = Limits(failures_before_lock=1, first_lock=7, longest_lock=10)
    first = charged(Attempts(), NOW, limits)
    assert seconds_locked(first, NOW) == 7
    assert seconds_locked(charged(first, NOW + 7, limits), NOW + 7) == 10


def test_a_lock_ends():
    locked = charged(Attempts(4, NOW), NOW, LIMITS)
    assert [seconds_locked(locked, NOW + after) for after in (0, 59, 60, 61)] == [60, 1, 0, 0]


def test_failures_of_yesterday_are_not_in_a_row_with_todays():
    assert charged(Attempts(8, NOW), NOW + DAY - 1, LIMITS).failures == 9
    assert charged(Attempts(8, NOW), NOW + DAY, LIMITS).failures == 1
    assert forgotten_at(Attempts(8, NOW)) == NOW + DAY
