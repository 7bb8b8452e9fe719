"""Structured logging: one JSON object per line on standard output, or readable text, with secrets taken out.

The standard library's logging does it: Powertools' Logger costs 32 ms of every cold start.
"""

import json
import logging
import sys
import time
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final, TextIO

from pydantic import SecretStr

from auth.events import Event
from mcp_app.redaction import Redactor
from mcp_app.settings import Settings

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request being served, for every log line that it causes."""

_auth_log = logging.getLogger("auth")

# They log each request's URL at INFO, and a URL may carry a key; or at DEBUG the answers that they send.
_CHATTY: Final = ("botocore", "boto3", "httpcore2", "httpx2", "mcp", "sse_starlette", "urllib3")
_encode = json.JSONEncoder(default=repr, separators=(",", ":")).encode
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonFormatter(logging.Formatter):
    """Log records as JSON: `timestamp`, `level`, `logger`, `message`, `request_id`, then whatever `extra` brought.

    Lambda's JSON log format reads `timestamp` and `level` (AWS Lambda developer guide, "Log formats").
    """

    def __init__(self, redactor: Redactor, fixed: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._redactor = redactor
        self._fixed = dict(fixed or {})

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        entry: dict[str, Any] = {
            "timestamp": timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": self._redactor.text(record.getMessage()),
        }
        if (current := request_id.get()) is not None:
            entry["request_id"] = current
        entry |= self._fixed | self._redactor.clean(_extras(record))
        if (exception := _exception(record)) is not None:
            entry["exception"] = self._redactor.clean(exception)
        return _encode(entry)


class TextFormatter(logging.Formatter):
    """Log records for a person at a terminal; an `extra` that the message says already is not said again."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line, and the traceback under it."""
        said = record.args or ()
        extras = {name: value for name, value in _extras(record).items() if value not in said}
        tail = "".join(f" {name}={value}" for name, value in self._redactor.clean(extras).items())
        line = self._redactor.text(f"{record.levelname:<8} {record.getMessage()}{tail}")
        trace = self._redactor.text((_exception(record) or {}).get("trace", "").rstrip())
        # What an error quotes may hold line breaks too; indented, none of its lines can pass for a record.
        under = "".join(f"\n  {_printable(row)}" for row in trace.split("\n") if trace)
        return f"{timestamp(record.created)[11:23]} {_printable(line)}{under}"


def _printable(line: str) -> str:
    """The line without what would forge a second one or steer a terminal, or standard output cannot encode."""
    return line.translate(_ESCAPES).encode(errors="backslashreplace").decode()


class _OutputHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever standard output is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override] # the base class binds one stream for good
        return sys.stdout


def configure_logging(settings: Settings) -> None:
    """Send every logger of the process through one handler; called again, it replaces its own handler only."""
    redactor = Redactor(_secrets(settings))
    handler = _OutputHandler()
    fixed = {"service": settings.name, "environment": settings.environment}
    handler.setFormatter(JsonFormatter(redactor, fixed) if settings.log_format == "json" else TextFormatter(redactor))
    root = logging.getLogger()
    for earlier in [one for one in root.handlers if isinstance(one, _OutputHandler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def log_event(event: Event) -> None:
    """Log what the authorization server reports: one line, its details under `details`, as a warning if alarming."""
    level = logging.WARNING if event.alarming else logging.INFO
    _auth_log.log(level, "%s", event.name, extra={"event": event.name, "details": event.details})


def timestamp(epoch_seconds: float) -> str:
    """A moment as ISO 8601 in UTC, to the millisecond."""
    milliseconds = int(epoch_seconds * 1000)
    moment = time.gmtime(milliseconds // 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{milliseconds % 1000:03d}Z"


def _secrets(settings: Settings) -> tuple[str, ...]:
    values = (getattr(settings, field.attribute) for field in Settings.fields())
    return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr))


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _exception(record: logging.LogRecord) -> dict[str, str] | None:
    if not record.exc_info or record.exc_info[0] is None:  # asyncio says False for "none"
        return None
    kind, error, _ = record.exc_info
    return {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "message": str(error),
        "trace": "".join(traceback.format_exception(error)),
    }


_ESCAPES: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
