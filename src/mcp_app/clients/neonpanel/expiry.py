"""How long a token may be kept; times are epoch seconds."""

import math
from collections.abc import Mapping
from typing import Any, Final

EARLY: Final = 60
"""Seconds before its end from which on a token is renewed."""


def expiry(token: str, answer: Mapping[str, Any], now: float) -> float:
    """When a token ends: the earlier of what its answer (`expires_in`) and, where it is a JWT, its `exp` say.

    One that says neither has ended already: it serves the call that it was fetched for, and is not kept.
    """
    lifetime, end = number(answer.get("expires_in")), _claimed(token)
    ends = [moment for moment in (None if lifetime is None else now + lifetime, end) if moment is not None]
    return min(ends, default=now)


def _claimed(token: str) -> float | None:
    """The `exp` of a JWT, whose signature is its receiver's to judge."""
    from auth.keys.jws import MalformedError, json_object, parse

    try:
        return number(json_object(parse(token).payload).get("exp"))
    except MalformedError:
        return None


def number(value: Any) -> float | None:
    """A number of seconds in an answer, be it written as text; None where it is none, or beyond reason."""
    digits = isinstance(value, str) and value.isascii() and value.isdecimal()
    if isinstance(value, bool) or not (digits or isinstance(value, int | float)):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None
