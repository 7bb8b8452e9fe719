"""One invocation, from the event to the end of its answer, and what is reported of it."""

import asyncio
import json
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol
from uuid import uuid4

_ERROR_TYPE = re.compile(r"(Runtime|Function)\.[A-Z][A-Za-z]+")


@dataclass(frozen=True, slots=True)
class FunctionError:
    """How an invocation failed: a type such as `Runtime.ExitError`, and a JSON body for who may see it."""

    type: str
    body: bytes = b""

    @classmethod
    def of(cls, error_type: str, message: str) -> "FunctionError":
        """Return an error that the service itself found."""
        return cls(error_type, json.dumps({"errorType": error_type, "errorMessage": message}).encode())

    @classmethod
    def reported(cls, error_type: str, body: bytes) -> "FunctionError":
        """Return an error that the runtime reported; a type of no known form becomes `Function.Unknown`."""
        return cls(error_type if _ERROR_TYPE.fullmatch(error_type) else "Function.Unknown", body)


class ThrottledError(Exception):
    """Every sandbox is busy and no more may be started."""


class ResponseTooLargeError(Exception):
    """The answer exceeds the limit of its invoke mode."""


class AlreadyAnsweredError(Exception):
    """The service has given up on this invocation: it timed out."""


class Sink(Protocol):
    """Where an answer goes as it arrives."""

    def start(self, content_type: str) -> None:
        """Take the answer's content type; called once, before anything else."""
        ...

    def write(self, data: bytes) -> Coroutine[Any, Any, None] | None:
        """Take a piece of the payload; return what to wait for until there is room for more, if there is none."""
        ...

    def flush(self) -> None:
        """Pass on what was taken: more is not there yet."""
        ...

    def finish(self, error: FunctionError | None) -> None:
        """Take the end of the answer, or of all hope for one; called once."""
        ...


class Collector:
    """A sink that keeps the payload: a direct invocation's, and the base of a buffered function URL's."""

    def __init__(self) -> None:
        self.content_type = ""
        self.payload = bytearray()
        self.error: FunctionError | None = None

    def start(self, content_type: str) -> None:
        """Note the content type."""
        self.content_type = content_type

    def write(self, data: bytes) -> None:
        """Keep a piece."""
        self.payload += data

    def flush(self) -> None:
        """Nothing: the payload is passed on when it is whole."""

    def finish(self, error: FunctionError | None) -> None:
        """Note how it ended."""
        self.error = error


class Stage(Enum):
    """How far the runtime is with an invocation."""

    QUEUED = "queued"
    RUNNING = "running"
    RESPONDING = "responding"
    RESPONDED = "responded"


@dataclass(eq=False)
class Invocation:
    """One event and its answer. Times are of the monotonic clock, in seconds; `deadline_ms` is epoch milliseconds.

    `nonce` is the Lambda-Runtime-Invocation-Id, which tells two invocations with one request id apart.
    """

    request_id: str
    event: bytes
    sink: Sink
    limit: int
    trace_id: str
    nonce: str = field(default_factory=lambda: str(uuid4()))
    stage: Stage = Stage.QUEUED
    deadline_ms: int = 0
    cold: bool = False
    began: float = 0.0
    first_byte: float | None = None
    error: FunctionError | None = None
    answered: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _size: int = 0

    def respond(self, content_type: str) -> None:
        """Begin the answer."""
        self.stage = Stage.RESPONDING
        if not self.answered.done():
            self.sink.start(content_type)

    def deliver(self, piece: bytes) -> Coroutine[Any, Any, None] | None:
        """Pass on a piece of the answer; return what to wait for until there is room for more.

        Raises ResponseTooLargeError, AlreadyAnsweredError.
        """
        if self.answered.done():
            raise AlreadyAnsweredError
        if self.first_byte is None:
            self.first_byte = time.monotonic()
        self._size += len(piece)
        if self._size > self.limit:
            raise ResponseTooLargeError
        return self.sink.write(piece)

    def finish(self, error: FunctionError | None = None) -> None:
        """End the answer, well or with an error; the first end counts."""
        self.stage = Stage.RESPONDED
        if not self.answered.done():
            self.error = error
            self.sink.finish(error)
            self.answered.set_result(None)


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """What a direct invocation came to: the payload, or the error's body and what failed."""

    request_id: str
    payload: bytes
    content_type: str
    error: FunctionError | None


@dataclass(frozen=True, slots=True)
class Report:
    """What the service measured of one invocation.

    Attributes:
        request_id: its id.
        init_ms: the sandbox's init phase, when this invocation began with one.
        duration_ms: from handing over the event until the runtime asked for the next.
        first_byte_ms: from handing over the event until the first byte of an answer; None when there was none.
        max_memory_mb: the sandbox's peak resident set so far; None where the host does not tell.
        cold: whether the sandbox was new.
        outcome: `ok`, or the error's type.
        restore_ms: the restore phase, with SnapStart, when this invocation began with one.
    """

    request_id: str
    init_ms: float | None
    duration_ms: float
    first_byte_ms: float | None
    max_memory_mb: int | None
    cold: bool
    outcome: str
    restore_ms: float | None = None


def report_line(report: Report, memory_mb: int) -> str:
    """Return Lambda's REPORT line; time in init is billed."""
    billed = -int(-(report.duration_ms + (report.init_ms or 0)) // 1)
    parts = [
        f"REPORT RequestId: {report.request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {report.max_memory_mb or 0} MB",
    ]
    if report.init_ms is not None:
        parts.append(f"Init Duration: {report.init_ms:.2f} ms")
    if report.restore_ms is not None:
        parts.append(f"Restore Duration: {report.restore_ms:.2f} ms")
    return "\t".join(parts) + "\t"
