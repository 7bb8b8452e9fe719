"""Who is being invoked, and until when: the invocation's context, as an object and as context variables."""

import json
import os
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

_LONGEST_MS = 900_000
_TRACE = "_X_AMZN_TRACE_ID"

request_id: ContextVar[str] = ContextVar("lambda_request_id", default="")
"""The id of the invocation that the current task belongs to; empty outside of one."""

trace_id: ContextVar[str] = ContextVar("lambda_trace_id", default="")
"""The X-Ray trace header of the invocation that the current task belongs to; empty outside of one."""


_python_environment: Any = getattr(os.environ, "_data", None)


def publish_trace(value: str) -> None:
    """Set `_X_AMZN_TRACE_ID` where Python code finds it in `os.environ`: X-Ray's, OpenTelemetry's, Powertools'.

    The C library's environment is left alone where possible: its setenv() never frees an old value, which is a leak
    of one trace header for each invocation.
    """
    if isinstance(_python_environment, dict):
        _python_environment[os.environ.encodekey(_TRACE)] = os.environ.encodevalue(value)
    else:
        os.environ[_TRACE] = value


class Invocation(NamedTuple):
    """One answer of `/runtime/invocation/next`: the event's bytes and what came in the headers.

    `deadline_ms` is in milliseconds since the epoch.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html (Next invocation).
    """

    request_id: str
    deadline_ms: int
    body: bytes
    function_arn: str = ""
    trace_id: str = ""
    invocation_id: str | None = None
    tenant_id: str | None = None
    client_context: str | None = None
    cognito_identity: str | None = None

    @classmethod
    def from_reply(cls, headers: Mapping[str, str], body: bytes, now_ms: int) -> "Invocation":
        """Read the reply's headers (names in lower case).

        `now_ms` is in epoch milliseconds, for emulators that send no deadline, or a duration in its place.

        Raises:
            KeyError: The reply has no request id.
            ValueError: The deadline is not a number.
        """
        return cls(
            request_id=headers["lambda-runtime-aws-request-id"],
            deadline_ms=_deadline(headers.get("lambda-runtime-deadline-ms"), now_ms),
            body=body,
            function_arn=headers.get("lambda-runtime-invoked-function-arn", ""),
            trace_id=headers.get("lambda-runtime-trace-id", ""),
            invocation_id=headers.get("lambda-runtime-invocation-id"),
            tenant_id=headers.get("lambda-runtime-aws-tenant-id"),
            client_context=headers.get("lambda-runtime-client-context"),
            cognito_identity=headers.get("lambda-runtime-cognito-identity"),
        )


def _deadline(text: str | None, now_ms: int) -> int:
    value = int(text or _LONGEST_MS)
    return value + now_ms if value <= _LONGEST_MS else value


class Function(NamedTuple):
    """What Lambda's environment says about the function itself."""

    name: str = ""
    version: str = ""
    memory_mb: int = 0
    log_group: str = ""
    log_stream: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Function":
        """Read Lambda's own variables; each may be missing outside of Lambda."""
        memory = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        return cls(
            name=environment.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            version=environment.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            memory_mb=int(memory) if memory.isdigit() else 0,
            log_group=environment.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
            log_stream=environment.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        )


class LambdaContext:
    """The context object, with the attributes that a Python handler knows.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html. Two attributes are plainer than there:
    `identity` and `client_context` are the parsed JSON objects. `deadline_ms` is Lambda's own deadline, in
    milliseconds since the epoch.
    """

    def __init__(self, invocation: Invocation, function: Function, now: Callable[[], float] = time.time) -> None:
        self.invocation = invocation
        self.function = function
        self._now = now

    @property
    def aws_request_id(self) -> str:
        """The invocation's id."""
        return self.invocation.request_id

    @property
    def invoked_function_arn(self) -> str:
        """The ARN by which the function was invoked, with its version or alias."""
        return self.invocation.function_arn

    @property
    def deadline_ms(self) -> int:
        """When Lambda ends the invocation, in milliseconds since the epoch."""
        return self.invocation.deadline_ms

    @property
    def trace_id(self) -> str:
        """The X-Ray trace header."""
        return self.invocation.trace_id

    @property
    def tenant_id(self) -> str | None:
        """The tenant, where the function isolates tenants."""
        return self.invocation.tenant_id

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self.function.name

    @property
    def function_version(self) -> str:
        """The function's version."""
        return self.function.version

    @property
    def memory_limit_in_mb(self) -> int:
        """The function's memory, in MB."""
        return self.function.memory_mb

    @property
    def log_group_name(self) -> str:
        """The function's log group."""
        return self.function.log_group

    @property
    def log_stream_name(self) -> str:
        """This sandbox's log stream."""
        return self.function.log_stream

    @property
    def client_context(self) -> Any:
        """What a mobile client or an invoking service sent along, parsed, or None."""
        return json.loads(self.invocation.client_context) if self.invocation.client_context else None

    @property
    def identity(self) -> Any:
        """The Cognito identity that authorized the request, parsed, or None."""
        return json.loads(self.invocation.cognito_identity) if self.invocation.cognito_identity else None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda's deadline; never negative."""
        return max(0, int(self.deadline_ms - self._now() * 1000))
