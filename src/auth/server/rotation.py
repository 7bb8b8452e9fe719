"""What becomes of a refresh token that somebody presents: a function of the grant, the token's generation and a clock.

There is one family of tokens per grant, and one current token in it. A client that lost an answer, or two of whose
machines raced, comes back with one just superseded: it gets the current token again. Later than that, the token is in
the wrong hands.
"""

from typing import NamedTuple

from auth.records import Grant

REMEMBERED = 8
"""So many rotations are remembered, and so many are allowed within `BURST`."""

BURST = 60
"""Seconds."""


class Rotate(NamedTuple):
    """It is the current token: supersede it."""


class Retry(NamedTuple):
    """It was superseded just now: answer with the current token, and change nothing."""


class Reuse(NamedTuple):
    """It was superseded long ago: revoke the grant."""


class TooMany(NamedTuple):
    """It is the current token, of a client that rotates as if in a loop; good again after so many seconds."""

    retry_after: int


class Dead(NamedTuple):
    """The grant ended, or has no such token."""


Decision = Rotate | Retry | Reuse | TooMany | Dead


def decide(grant: Grant, generation: int, now: int, *, grace: int, lifetime: int, raced: bool = False) -> Decision:
    """What to do with a refresh token whose tag is good.

    Args:
        grant: as it is stored now.
        generation: the token's.
        now: epoch seconds; other machines wrote by clocks of their own.
        grace: seconds for which a superseded token gets the current one.
        lifetime: seconds after its last rotation at which a grant ends.
        raced: whether the token was the current one when this request came, and a write of another's was faster.
    """
    if grant.revoked is not None or not grant.refreshable or generation > grant.generation:
        return Dead()
    if now >= (grant.last_used or grant.created) + lifetime:
        return Dead()
    if generation == grant.generation:
        wait = _wait(grant.rotations, now)
        return TooMany(wait) if wait else Rotate()
    return Retry() if raced or _recent(grant, generation, now - grace) else Reuse()


def rotated(grant: Grant, now: int) -> Grant:
    """The grant with its current token superseded."""
    times = (*grant.rotations, now)[-REMEMBERED:]
    return grant._replace(generation=grant.generation + 1, rotations=times, last_used=now)


def _recent(grant: Grant, generation: int, since: int) -> bool:
    """Whether a generation was superseded since then, or later than any clock says."""
    ago = grant.generation - generation
    return ago <= len(grant.rotations) and grant.rotations[-ago] >= since


def _wait(rotations: tuple[int, ...], now: int) -> int:
    """Seconds until the client may rotate again; 0: at once.

    A rotation in the future is another clock's, or this one was set back; it must not hold the client up for as long.
    """
    recent = [time for time in rotations if abs(now - time) < BURST]
    return 0 if len(recent) < REMEMBERED else max(1, min(recent) + BURST - now)
