"""The Extensions API, as internal extensions (those within the runtime's own process) use it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

import json
from dataclasses import dataclass
from uuid import uuid4

from .config import VERSION, FunctionConfig
from .http_connection import Connection
from .invocation import Invocation
from .responses import encode_json
from .wire import RequestHead


class RefusedError(Exception):
    """A request that the Runtime API or the Extensions API declines, with the status and error type it answers."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type


@dataclass
class _Extension:
    events: frozenset[str]
    waiting: Connection | None = None


class Extensions:
    """The extensions of one sandbox."""

    def __init__(self, config: FunctionConfig) -> None:
        self._config = config
        self._by_id: dict[str, _Extension] = {}

    def __bool__(self) -> bool:
        """Whether any is registered: then the sandbox is asked to end (SIGTERM) before it is made to."""
        return bool(self._by_id)

    @property
    def ready(self) -> bool:
        """Whether each waits for its next event; init and invocations end only then."""
        return all(extension.waiting is not None for extension in self._by_id.values())

    def register(self, head: RequestHead, body: bytes, *, open_: bool) -> bytes:
        """Register one and return the reply. Raises RefusedError.

        Args:
            head: the request.
            body: its JSON, `{"events": [...]}`.
            open_: whether the runtime is still in its init phase.
        """
        if not head.header("lambda-extension-name"):
            raise RefusedError(403, "Extension.InvalidExtensionName", "Empty extension name")
        events = _parse_events(body)
        if not open_:
            raise RefusedError(403, "Extension.RegistrationClosed", "Extension registration closed already")
        identifier = str(uuid4())
        self._by_id[identifier] = _Extension(events)
        function = {
            "functionName": self._config.name,
            "functionVersion": VERSION,
            "handler": self._config.handler,
        }
        return encode_json(200, function, ("Lambda-Extension-Identifier", identifier))

    def wait(self, head: RequestHead, connection: Connection) -> None:
        """Let one wait for its next event. Raises RefusedError."""
        identifier = head.header("lambda-extension-identifier")
        if not identifier:
            raise RefusedError(
                403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"
            )
        extension = self._by_id.get(identifier)
        if extension is None:
            raise RefusedError(403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        if extension.waiting is not None:
            raise RefusedError(403, "Extension.InvalidExtensionState", "The extension waits already")
        extension.waiting = connection

    def leave(self, connection: Connection) -> None:
        """Note that a connection has ended."""
        for extension in self._by_id.values():
            if extension.waiting is connection:
                extension.waiting = None

    def announce(self, invocation: Invocation, arn: str) -> None:
        """Send an INVOKE event to those who asked for it."""
        event = {
            "eventType": "INVOKE",
            "deadlineMs": invocation.deadline_ms,
            "requestId": invocation.request_id,
            "invokedFunctionArn": arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id},
        }
        for extension in self._by_id.values():
            if extension.waiting is not None and "INVOKE" in extension.events:
                reply = encode_json(200, event, ("Lambda-Extension-Event-Identifier", str(uuid4())))
                extension.waiting.write(reply)
                extension.waiting = None


def _parse_events(body: bytes) -> frozenset[str]:
    try:
        events = frozenset(json.loads(body)["events"])
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError(403, "InvalidRequestFormat", "the body is not {'events': [...]}") from error
    if "SHUTDOWN" in events:
        raise RefusedError(403, "Extension.InvalidEventType", "SHUTDOWN: not supported for internal extensions")
    if events - {"INVOKE"}:
        raise RefusedError(403, "Extension.InvalidEventType", f"{sorted(events)}: invalid event")
    return events
