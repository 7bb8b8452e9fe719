"""What can go wrong with a service that we call.

    UpstreamError
    ├── AccessError             the caller lacks a right
    │   └── SignInAgainError    401 with a user's own token
    ├── NotConfiguredError      a setting is missing
    ├── RejectedKeyError        401: the service refuses our key
    ├── DeniedError             403: the key is good, but not for this
    ├── NotFoundError           404
    ├── RateLimitedError        429
    ├── QuotaExhaustedError     429, and waiting will not help
    ├── RefusedError            the service declines this very request
    ├── UnreachableError        no connection
    ├── BrokenOffError          the connection broke before the answer was complete
    ├── SlowError               no answer within the deadline
    ├── BrokenError             5xx
    └── OddAnswerError          an answer that cannot be understood

Each message is one or two sentences for the caller of a tool. They hold no key, no URL and nothing that the service
wrote.
"""

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any, ClassVar


class UpstreamError(Exception):
    """A service that a tool needs did not do its part.

    Attributes:
        code: the kind of failure, for programs.
        status: the HTTP status that the service answered with; None where it is not about an answer.
        details: what else a program may want to know; nothing in it was written by the service.
        scopes: what a wider grant would have to hold, where that would help.
    """

    message = "{service} could not be used."
    code: ClassVar[str] = "unusable"
    status: int | None = None
    details: Mapping[str, Any] | None = None
    scopes: frozenset[str] = frozenset()

    def __init__(self, service: str) -> None:
        super().__init__(self.message.format(service=service))

    def normalised(self) -> Mapping[str, Any]:
        """The same for every service: `status`, `code`, `message` and `details`, as far as there are any."""
        known = {"status": self.status, "code": self.code, "message": str(self), "details": self.details}
        return {name: value for name, value in known.items() if value is not None}


class AccessError(UpstreamError):
    """Whoever calls lacks a right; another sign-in, or a wider grant, may have it."""


class SignInAgainError(AccessError):
    """The user's token is good here, and the service does not take it any more."""

    code = "sign_in_again"
    status = HTTPStatus.UNAUTHORIZED
    message = "{service} no longer accepts your sign-in. Connect again and sign in to {service}."


class NotConfiguredError(UpstreamError):
    """A setting is missing.

    Attributes:
        settings: what the operator may set, any of them.
    """

    code = "not_configured"

    def __init__(self, service: str, *settings: str) -> None:
        self.settings = settings
        Exception.__init__(self, f"{service} is not set up here: the operator must set {' or '.join(settings)}.")


class RejectedKeyError(UpstreamError):
    """HTTP 401, also after the key was read again."""

    code = "rejected_key"

    def __init__(self, service: str, setting: str = "its API key") -> None:
        Exception.__init__(self, f"{service} refused this server's key: the operator must check {setting}.")


class DeniedError(UpstreamError):
    """HTTP 403."""

    code = "denied"
    message = "{service} does not let this server do that: the operator must check the account's rights and region."


class NotFoundError(UpstreamError):
    """HTTP 404."""

    code = "not_found"
    message = "{service} does not have what was asked for."


class RateLimitedError(UpstreamError):
    """HTTP 429.

    Attributes:
        retry_after: seconds until the service wants to be asked again; None where it did not say.
    """

    code = "rate_limited"

    def __init__(self, service: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        self.details = _when(retry_after)
        Exception.__init__(self, f"{service} is being asked too often. Try again {_moment(retry_after)}.")


class QuotaExhaustedError(UpstreamError):
    """The account has no quota or credit left."""

    code = "quota_exhausted"
    message = "This server's quota at {service} is used up: the operator must check the account's plan and billing."


class RefusedError(UpstreamError):
    """The service declines this request, whoever asks."""

    code = "refused"
    message = "{service} declined this request. Try to word it differently."


class UnreachableError(UpstreamError):
    """No connection."""

    code = "unreachable"
    message = "{service} could not be reached. Try again later."


class BrokenOffError(UpstreamError):
    """The answer ended before it was complete."""

    code = "broken_off"
    message = "{service} broke off its answer. Try again later."


class SlowError(UpstreamError):
    """No answer in time."""

    code = "timeout"
    message = "{service} did not answer in time. Try again later."


class BrokenError(UpstreamError):
    """HTTP 5xx, also after retries."""

    code = "fault"

    def __init__(self, service: str, retry_after: float | None = None) -> None:
        self.details = _when(retry_after)
        Exception.__init__(self, f"{service} has a fault at the moment. Try again {_moment(retry_after)}.")


class OddAnswerError(UpstreamError):
    """Not the JSON that the service's documentation promises."""

    code = "odd_answer"
    message = "{service} gave an answer that could not be understood. Try again later."


_BY_STATUS: dict[int, type[UpstreamError]] = {
    HTTPStatus.FORBIDDEN: DeniedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.REQUEST_TIMEOUT: SlowError,
}


def status_error(service: str, status: int, retry_after: float | None = None) -> UpstreamError:
    """The error that an HTTP status of 300 and above stands for."""
    error = _status_error(service, status, retry_after)
    error.status = status
    return error


def _status_error(service: str, status: int, retry_after: float | None) -> UpstreamError:
    if status == HTTPStatus.UNAUTHORIZED:
        return RejectedKeyError(service)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(service, retry_after)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return BrokenError(service, retry_after)
    return _BY_STATUS.get(status, OddAnswerError)(service)


def _moment(retry_after: float | None) -> str:
    seconds = None if retry_after is None else ceil(retry_after)
    return "later" if seconds is None else f"in {seconds} second{'' if seconds == 1 else 's'}"


def _when(retry_after: float | None) -> Mapping[str, Any] | None:
    return None if retry_after is None else {"retryAfterSeconds": ceil(retry_after)}
