"""What can go wrong with a service that we call.

    UpstreamError
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

from http import HTTPStatus
from math import ceil


class UpstreamError(Exception):
    """A service that a tool needs did not do its part."""

    message = "{service} could not be used."

    def __init__(self, service: str) -> None:
        super().__init__(self.message.format(service=service))


class NotConfiguredError(UpstreamError):
    """A setting is missing.

    Attributes:
        settings: what the operator may set, any of them.
    """

    def __init__(self, service: str, *settings: str) -> None:
        self.settings = settings
        Exception.__init__(self, f"{service} is not set up here: the operator must set {' or '.join(settings)}.")


class RejectedKeyError(UpstreamError):
    """HTTP 401, also after the key was read again."""

    def __init__(self, service: str, setting: str = "its API key") -> None:
        Exception.__init__(self, f"{service} refused this server's key: the operator must check {setting}.")


class DeniedError(UpstreamError):
    """HTTP 403."""

    message = "{service} does not let this server do that: the operator must check the account's rights and region."


class NotFoundError(UpstreamError):
    """HTTP 404."""

    message = "{service} does not have what was asked for."


class RateLimitedError(UpstreamError):
    """HTTP 429.

    Attributes:
        retry_after: seconds until the service wants to be asked again; None where it did not say.
    """

    def __init__(self, service: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        moment = "later" if retry_after is None else f"in {ceil(retry_after)} seconds"
        Exception.__init__(self, f"{service} is being asked too often. Try again {moment}.")


class QuotaExhaustedError(UpstreamError):
    """The account has no quota or credit left."""

    message = "This server's quota at {service} is used up: the operator must check the account's plan and billing."


class RefusedError(UpstreamError):
    """The service declines this request, whoever asks."""

    message = "{service} declined this request. Try to word it differently."


class UnreachableError(UpstreamError):
    """No connection."""

    message = "{service} could not be reached. Try again later."


class BrokenOffError(UpstreamError):
    """The answer ended before it was complete."""

    message = "{service} broke off its answer. Try again later."


class SlowError(UpstreamError):
    """No answer in time."""

    message = "{service} did not answer in time. Try again later."


class BrokenError(UpstreamError):
    """HTTP 5xx, also after retries."""

    message = "{service} has a fault at the moment. Try again later."


class OddAnswerError(UpstreamError):
    """Not the JSON that the service's documentation promises."""

    message = "{service} gave an answer that could not be understood. Try again later."


_BY_STATUS: dict[int, type[UpstreamError]] = {
    HTTPStatus.FORBIDDEN: DeniedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.REQUEST_TIMEOUT: SlowError,
}


def status_error(service: str, status: int, retry_after: float | None = None) -> UpstreamError:
    """The error that an HTTP status of 300 and above stands for."""
    if status == HTTPStatus.UNAUTHORIZED:
        return RejectedKeyError(service)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(service, retry_after)
    fallback = BrokenError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else OddAnswerError
    return _BY_STATUS.get(status, fallback)(service)
