"""The product, or an app of the tests, behind the emulated function URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lambda_asgi.emulator import Emulator, FunctionConfig, Limits
from tests.support import coverage
from tests.support.gate import PATIENCE

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "AUTH_MODE": "noauth",
    "PUBLIC_URL": "http://127.0.0.1",
    "PYTHONPATH": str(ROOT),
    "SERVER_SECRET": "a key that all sandboxes of one test share",
}


@asynccontextmanager
async def function(handler: str, **settings: Any) -> AsyncIterator[Emulator]:
    """A function of this source tree; `environment` among the settings is added to what the product needs."""
    environment = ENVIRONMENT | coverage.variables() | settings.pop("environment", {})
    settings = {"task_root": ROOT / "src", "limits": Limits(settle=PATIENCE), **settings}
    config = FunctionConfig(handler=handler, environment=environment, **settings)
    async with Emulator(config, log=lambda _line: None) as emulator:
        yield emulator
