"""A failure as Lambda's protocol carries it, and as one line of the log."""

import json
import re
import sys
import time
import traceback
from collections.abc import Callable
from typing import NamedTuple

_NOT_A_LETTER = re.compile(r"[^A-Za-z]")
# The whole trailer section has to stay small; a trace's ends tell more than its middle.
_MAX_TRACE_LINES = 40


class Failure(NamedTuple):
    """An error's type, message and stack trace, as Lambda's error object has them.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html (Initialization error).
    """

    error_type: str
    message: str
    trace: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """The failure that an exception stands for."""
        lines = [line.rstrip("\n") for line in traceback.format_exception(error)]
        if len(lines) > _MAX_TRACE_LINES:
            half = _MAX_TRACE_LINES // 2
            lines = [*lines[:half], "...", *lines[-half:]]
        return cls(type(error).__name__, str(error), tuple(lines))

    def body(self) -> bytes:
        """The JSON object that Lambda expects in an error request and in an error trailer."""
        document = {"errorMessage": self.message, "errorType": self.error_type, "stackTrace": list(self.trace)}
        return json.dumps(document).encode()

    def qualified_type(self, prefix: str = "Function") -> str:
        """The type as Lambda accepts it: `(Runtime|Function)` dot letters, beginning with a capital."""
        letters = _NOT_A_LETTER.sub("", self.error_type)
        return f"{prefix}.{letters[:1].upper()}{letters[1:]}" if letters else f"{prefix}.Unhandled"


class Log(NamedTuple):
    """Writes one JSON object a line, with the keys of Lambda's JSON log format, so that CloudWatch indexes them."""

    write: Callable[[str], object]
    now: Callable[[], float] = time.time

    def failure(self, message: str, failure: Failure, request_id: str | None = None) -> None:
        """Write a failure at level ERROR, with its trace."""
        self._line(
            "ERROR",
            message,
            request_id,
            errorType=failure.error_type,
            errorMessage=failure.message,
            stackTrace=list(failure.trace),
        )

    def note(self, message: str, request_id: str | None = None) -> None:
        """Write a sentence at level WARN."""
        self._line("WARN", message, request_id)

    def _line(self, level: str, message: str, request_id: str | None, **extra: object) -> None:
        seconds, fraction = divmod(self.now(), 1)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        line = {
            "timestamp": f"{stamp}.{int(fraction * 1000):03d}Z",
            "level": level,
            "message": message,
            "logger": "lambda_asgi",
            "requestId": request_id,
            **extra,
        }
        self.write(json.dumps({key: value for key, value in line.items() if value is not None}) + "\n")


def stderr_log() -> Log:
    """The log that goes to standard error, which Lambda collects."""
    return Log(sys.stderr.write)
