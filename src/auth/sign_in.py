"""When somebody may try to sign in: a lock from the fifth failure in a row, which doubles with each further one.

A try counts as a failure before the password is looked at, and success takes that back. So tries at the same time
cannot have more guesses between them than tries one after the other.
"""

from typing import Final

from auth.records import Attempts
from auth.server.config import DAY, Limits

FORGOTTEN: Final = DAY
"""Failures count as being in a row until so long after the last one, or after the lock that it led to."""

_MOST_DOUBLINGS: Final = 32


class SignInRefusedError(Exception):
    """Nobody is let in; the message is the same whatever the reason.

    Attributes:
        retry_after: seconds for which no further try is looked at; None where the next one is.
    """

    def __init__(self, retry_after: int | None = None) -> None:
        super().__init__("That username and that password do not go together, or it was tried too often.")
        self.retry_after = retry_after


def seconds_locked(attempts: Attempts, now: int) -> int:
    """For how long no try is looked at; 0 where one is."""
    return max(0, attempts.locked_until - now)


def charged(attempts: Attempts, now: int, limits: Limits) -> Attempts:
    """What one more failure makes of them.

    Args:
        attempts: not locked.
        now: epoch seconds.
        limits: from which failure on there is a lock, how long the first one is, and the longest.
    """
    forgotten = attempts.locked_until + FORGOTTEN <= now
    failures = 1 if forgotten else attempts.failures + 1
    return Attempts(failures, now + _lock(failures, limits))


def forgotten_at(attempts: Attempts) -> int:
    """Epoch seconds from which on the failures do not count any more."""
    return attempts.locked_until + FORGOTTEN


def _lock(failures: int, limits: Limits) -> int:
    beyond = failures - limits.failures_before_lock
    if beyond < 0:
        return 0
    return int(min(limits.first_lock * 2 ** min(beyond, _MOST_DOUBLINGS), limits.longest_lock))
