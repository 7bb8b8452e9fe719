"""When a call is worth another try; decisions only, no I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

_BACKOFF: Final = (0.2, 0.6)
"""Seconds before the first and the second retry, before jitter."""

_ROOM: Final = 1.0
"""Seconds that must be left for the retry itself, or it is not made."""


_LONGEST: Final = 86_400.0
"""Seconds; what a service asks for beyond it is told as a day."""


Retried = Callable[[int], bool]
"""Whether an answer of that HTTP status is worth asking again for, though the service does not invite to."""


def any_fault(status: int) -> bool:
    """For what reads only: every fault of the service's may pass."""
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED


def passing_fault(status: int) -> bool:
    """For what reads only, where a 500 is an answer: those that say that they pass."""
    return status in _PASSING


_PASSING: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class Failure:
    """How one attempt failed.

    Attributes:
        status: the HTTP status; None where the connection failed before one came.
        retry_after: what the service said of it, in seconds.
        sent: whether the request may have reached the service.
    """

    status: int | None
    retry_after: float | None = None
    sent: bool = True


def pause(
    failure: Failure, retries: int, remaining: float, jitter: float, retried: Retried = any_fault
) -> float | None:
    """Seconds to wait before trying again; None where it is not worth it.

    There are two retries at most. A connection that broke (kept alive while the sandbox was frozen, say) is replaced
    at once the first time; a 429 is asked again when the service itself says so.

    Args:
        failure: how the last attempt failed.
        retries: how many were made before.
        remaining: seconds until the deadline.
        jitter: a random number from 0 to 1, so that many instances do not come back together.
        retried: which statuses are worth it.
    """
    wait = _wait(failure, retries, jitter, retried)
    return wait if wait is not None and wait + _ROOM <= remaining else None


def _wait(failure: Failure, retries: int, jitter: float, retried: Retried) -> float | None:
    if retries >= len(_BACKOFF):
        return None
    backoff = _BACKOFF[retries] * (0.5 + jitter)
    if failure.status is None:
        return backoff if retries else 0.0
    if failure.status == HTTPStatus.TOO_MANY_REQUESTS and failure.retry_after is not None:
        return failure.retry_after
    return max(failure.retry_after or 0.0, backoff) if retried(failure.status) else None


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
    except (ValueError, OverflowError):
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.fromtimestamp(now, UTC)).total_seconds()
    return min(max(0.0, seconds), _LONGEST)
