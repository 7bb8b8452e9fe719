"""When a read is worth another try; decisions only, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

_BACKOFF: Final = (0.2, 0.6)
"""Seconds before the first and the second retry of a 5xx, before jitter."""

_ROOM: Final = 1.0
"""Seconds that must be left for the retry itself, or it is not made."""


_LONGEST: Final = 86_400.0
"""Seconds; what a service asks for beyond it is told as a day."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How one attempt failed.

    Attributes:
        status: the HTTP status; None where the connection failed before one came.
        retry_after: what the service said of it, in seconds.
    """

    status: int | None
    retry_after: float | None = None


def pause(failure: Failure, retries: int, remaining: float, jitter: float) -> float | None:
    """Seconds to wait before trying again; None where it is not worth it.

    A connection that broke (kept alive while the sandbox was frozen, say) is replaced once and at once, a 5xx gets two
    retries, and a 429 those that the service itself invites.

    Args:
        failure: how the last attempt failed.
        retries: how many were made before.
        remaining: seconds until the deadline.
        jitter: a random number from 0 to 1, so that many instances do not come back together.
    """
    wait = _wait(failure, retries, jitter)
    return wait if wait is not None and wait + _ROOM <= remaining else None


def _wait(failure: Failure, retries: int, jitter: float) -> float | None:
    if failure.status is None:
        return 0.0 if retries == 0 else None
    if retries >= len(_BACKOFF):
        return None
    if failure.status == HTTPStatus.TOO_MANY_REQUESTS:
        return failure.retry_after
    if failure.status < HTTPStatus.INTERNAL_SERVER_ERROR or failure.status == HTTPStatus.NOT_IMPLEMENTED:
        return None
    return max(failure.retry_after or 0.0, _BACKOFF[retries] * (0.5 + jitter))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date (RFC 9110, section 10.2.3).

    Args:
        headers: the response's, their names in lower case or case-insensitive.
        now: epoch seconds.
    """
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return min(float(value), _LONGEST)
    return _seconds_until(value, now) if value else None


def _seconds_until(date: str, now: float) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.fromtimestamp(now, UTC)).total_seconds()
    return min(max(0.0, seconds), _LONGEST)
