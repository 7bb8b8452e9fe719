"""The ASGI lifespan, once for the life of the process.

Source: https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

import asyncio
from typing import Any

from .asgi import App, Message
from .errors import StartupError


class Lifespan:
    """Runs an app's lifespan. `state` is what the app put there; each request gets a copy of it."""

    def __init__(self, app: App) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._asked: asyncio.Queue[str] = asyncio.Queue()
        self._told: asyncio.Queue[Message] = asyncio.Queue()
        self._received = False
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Start the app; an app without a lifespan (one that refuses the scope, or ignores it) is fine as it is.

        Raises:
            StartupError: The app said that it cannot start.
            Exception: Whatever the app raised after it was asked to start.
        """
        self._task = asyncio.create_task(self._run())
        message = await self._ask("lifespan.startup")
        if message.get("type") == "lifespan.startup.failed":
            await asyncio.wait({self._task})
            raise StartupError(message.get("message") or "The app's lifespan failed.") from self._error()
        error = self._error()
        if error is not None and self._received:
            raise error

    async def shutdown(self) -> None:
        """Stop the app, where it is still running its lifespan.

        Raises:
            StartupError: The app said that its shutdown failed.
            Exception: Whatever the app raised.
        """
        if self._task is None or self._task.done():
            return
        message = await self._ask("lifespan.shutdown")
        if message.get("type") == "lifespan.shutdown.failed":
            raise StartupError(message.get("message") or "The app's lifespan failed to shut down.")
        await self._task

    async def _ask(self, kind: str) -> Message:
        assert self._task is not None  # noqa: S101 - both callers have made it
        self._asked.put_nowait(kind)
        answer = asyncio.ensure_future(self._told.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        return {}

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        await self._app(scope, self._receive, self._told.put)

    async def _receive(self) -> Message:
        self._received = True
        return {"type": await self._asked.get()}

    def _error(self) -> BaseException | None:
        if self._task is None or not self._task.done() or self._task.cancelled():
            return None
        return self._task.exception()
