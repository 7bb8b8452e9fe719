"""A runtime's answer to one invocation, passed on as it arrives.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
"""

import base64
import binascii
from collections.abc import Callable, Mapping

from .extensions import RefusedError
from .http_connection import Pending
from .invocation import AlreadyAnsweredError, FunctionError, Invocation, ResponseTooLargeError
from .wire import RequestHead

ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"


class Answer:
    """The body of a request to `/response`, from the piece that comes first to its end."""

    def __init__(
        self, invocation: Invocation, head: RequestHead, too_late: Callable[[Invocation], RefusedError]
    ) -> None:
        """Begin the answer; `too_late` makes the refusal of one whose invocation has timed out."""
        self._invocation = invocation
        self._too_late = too_late
        invocation.respond(head.header("content-type") or "application/octet-stream")

    def piece(self, data: bytes) -> Pending:
        """Pass on a piece. Raises RefusedError."""
        try:
            return self._invocation.deliver(data)
        except ResponseTooLargeError as error:
            message = f"Exceeded maximum allowed payload size ({self._invocation.limit} bytes)."
            self._invocation.finish(FunctionError.of("Function.ResponseSizeTooLarge", message))
            raise RefusedError(413, "RequestEntityTooLarge", message) from error
        except AlreadyAnsweredError as error:
            raise self._too_late(self._invocation) from error

    def pause(self) -> None:
        """Pass on what came: more is not there yet."""
        self._invocation.sink.flush()

    def end(self, trailers: Mapping[str, str]) -> None:
        """End the answer, well or with the error that its trailers tell. Raises RefusedError."""
        if self._invocation.answered.done():
            raise self._too_late(self._invocation)
        self._invocation.finish(_trailer_error(trailers))

    def break_off(self) -> RefusedError:
        """End the answer, which was cut short or malformed; return the refusal."""
        message = "HTTP request detected as truncated"
        self._invocation.finish(FunctionError.of("Runtime.TruncatedResponse", message))
        return RefusedError(400, "TruncatedHTTPRequest", message)


def _trailer_error(trailers: Mapping[str, str]) -> FunctionError | None:
    error_type = trailers.get(ERROR_TYPE, "")
    if not error_type:
        return None
    try:
        body = base64.b64decode(trailers.get(_ERROR_BODY, ""), validate=True)
    except binascii.Error:
        body = b""
    return FunctionError.reported(error_type, body)
