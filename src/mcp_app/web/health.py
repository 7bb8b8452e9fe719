"""`GET /healthz`: whether the server works, for load balancers, canaries and people."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from mcp_app.settings import Settings
from mcp_app.telemetry import timestamp
from mcp_app.version import VERSION

Check = Callable[[], Awaitable[Mapping[str, Any]]]
"""Looks at one part of the server: what it found, `status` being "ok" or "failed"; raises where the part is broken."""

NO_STORE: Final = {"Cache-Control": "no-store"}

logger = logging.getLogger(__name__)


class Health:
    """Answers from memory; with `?deep=1` runs the checks too, and is 503 if one fails.

    Args:
        settings: the server's name.
        checks: by the member of the reply that shows what each found.
        clock: seconds since the epoch.
        notices: what the deep check tells of the way the server is set up.
    """

    def __init__(
        self,
        settings: Settings,
        checks: Mapping[str, Check],
        clock: Callable[[], float] = time.time,
        *,
        notices: Sequence[str] = (),
    ) -> None:
        self.settings = settings
        self.checks = checks
        self.clock = clock
        self.notices = list(notices)
        self.started = clock()

    async def get(self, request: Request) -> JSONResponse:
        """The state of the server."""
        deep = request.query_params.get("deep", "0") not in ("0", "false", "")
        found = {name: await _run(name, check) for name, check in self.checks.items()} if deep else {}
        healthy = all(part["status"] == "ok" for part in found.values())
        now = self.clock()
        body = {
            "status": "ok" if healthy else "failed",
            "service": self.settings.name,
            "version": VERSION,
            "timestamp": timestamp(now),
            "uptimeSeconds": round(max(0.0, now - self.started), 3),
            **found,
            **({"notices": self.notices} if deep else {}),
        }
        return JSONResponse(body, 200 if healthy else 503, NO_STORE)


async def _run(name: str, check: Check) -> Mapping[str, Any]:
    try:
        return await check()
    except Exception:
        logger.exception("health check %s failed", name)
        return {"status": "failed"}
