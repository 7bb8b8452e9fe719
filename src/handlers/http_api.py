"""API Gateway HTTP API, buffered: the app behind Mangum. `sam local start-api` runs this door.

Mangum runs an ASGI lifespan around every invocation, and the app's may run once in a process. So one lifespan is
entered here, on one event loop that lives as long as the sandbox, and Mangum is told to leave lifespans alone.
"""

import asyncio
import logging
import time
from typing import Any
from urllib.parse import unquote

from mangum import Mangum
from mangum.handlers import HTTPGateway
from mangum.protocols import LifespanCycle
from mangum.types import ASGI, LambdaConfig, LambdaContext, LambdaEvent

from mcp_app.app import create_app
from mcp_app.settings import Settings

_DEFAULT_STAGE = "$default"


class HttpApi(HTTPGateway):
    """Payload 2.0 with the path taken from `rawPath`, which is decoded once (Mangum decodes a decoded path again).

    The scope carries the event, the context and the deadline as `lambda_asgi` does, so that the app finds them alike
    behind both doors.
    """

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        """Whether this is a payload 2.0 event."""
        return event.get("version") == "2.0" and super().infer(event, context, config)

    @property
    def scope(self) -> Any:
        """The ASGI scope of the event."""
        raw_path = _without_stage(self.event["rawPath"], self.event["requestContext"].get("stage", _DEFAULT_STAGE))
        deadline_ms = int(time.time() * 1000) + self.context.get_remaining_time_in_millis()
        extension = {"event": self.event, "context": self.context, "deadline_ms": deadline_ms}
        return {
            **super().scope,
            "path": unquote(raw_path),
            "raw_path": raw_path.encode("latin-1"),
            "extensions": {"aws.lambda": extension},
        }


class Handler:
    """A Lambda handler `(event, context) -> response` for an ASGI app, whose lifespan it enters once.

    Raises:
        mangum.exceptions.LifespanFailure: the app did not start.
    """

    def __init__(self, app: ASGI) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._lifespan = LifespanCycle(app, "on")
        self._lifespan.__enter__()
        self._mangum = Mangum(app, lifespan="off", custom_handlers=[HttpApi])

    def __call__(self, event: LambdaEvent, context: LambdaContext) -> dict[str, Any]:
        """Answer one API Gateway event."""
        return self._mangum(event, context)

    def close(self) -> None:
        """Run the lifespan's shutdown; the handler cannot be called afterwards."""
        self._lifespan.__exit__(None, None, None)
        self._loop.close()


def _take_over_logging() -> None:
    """Leave all logging to the app: what it logs comes out once, and redacted.

    The managed runtime (awslambdaric) puts a handler of its own on the root logger, which would write each line a
    second time with the secrets in it; Mangum says of each request what the access log says.
    """
    logging.getLogger().handlers.clear()
    logging.getLogger("mangum").setLevel(logging.ERROR)


def _without_stage(raw_path: str, stage: str) -> str:
    if stage != _DEFAULT_STAGE and raw_path.startswith(f"/{stage}/"):
        return raw_path.removeprefix(f"/{stage}")
    return raw_path or "/"


_take_over_logging()
handler = Handler(create_app(Settings.from_environment()))
