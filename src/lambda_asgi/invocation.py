"""One invocation from its event to the end of its response, within its deadline."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

from . import context
from .asgi import App
from .context import Function, Invocation, LambdaContext
from .errors import AppExitError, IncompleteResponseError, ResponseClosedError
from .exchange import Exchange, Outlet
from .failure import Failure, Log
from .outlet import DocumentOutlet, StreamOutlet, note_status
from .request import Request
from .response import BufferedResponse, Response, StreamedResponse
from .runtime_api import RuntimeApi
from .settings import Settings
from .sources import EventSource, infer

# Seconds for an app that is in the middle of a response when the sandbox is told to stop; Lambda gives 0.5 in all.
_STOP_TIME = 0.25


class Deadlines(NamedTuple):
    """When an app that is still busy is told, cancelled and given up, and when its response must be over.

    All in seconds on one clock.
    """

    disconnect: float
    cancel: float
    abandon: float
    finish: float

    @classmethod
    def within(cls, now: float, remaining: float, margin: float) -> "Deadlines":
        """Share out the last `margin` seconds of the `remaining` ones, or the last half where there are so few."""
        remaining = max(remaining, 0.0)
        margin = min(margin, remaining / 2)
        end = now + remaining
        return cls(end - margin, end - 0.7 * margin, end - 0.4 * margin, end - 0.1 * margin)


class Outcome(NamedTuple):
    """How an app ended: with what error, if any, and whether its time ran out first."""

    error: BaseException | None
    expired: bool


class Server(NamedTuple):
    """Runs the app for one invocation after the other (or several at once)."""

    app: App
    api: RuntimeApi
    settings: Settings
    function: Function
    log: Log
    state: dict[str, Any]
    now: Callable[[], float] = time.time

    async def serve(self, invocation: Invocation) -> None:
        """Answer one invocation, whatever happens in it; return when its background tasks are done too."""
        self._announce(invocation)
        try:
            await self._dispatch(invocation)
        except Exception as error:  # noqa: BLE001 - one bad event must not end the sandbox
            failure = Failure.of(error)
            self.log.failure("The invocation could not be served.", failure, invocation.request_id)
            await self.api.fail(invocation, failure)

    def _announce(self, invocation: Invocation) -> None:
        context.request_id.set(invocation.request_id)
        context.trace_id.set(invocation.trace_id)
        if self.settings.max_concurrency == 1:
            # One variable cannot serve two invocations at once.
            context.publish_trace(invocation.trace_id)

    async def _dispatch(self, invocation: Invocation) -> None:
        event = json.loads(invocation.body)
        source = infer(event)
        if source is None:
            note_status(self.log, invocation, await self.api.respond(invocation, b"null"))
            return
        request = source.request()
        outlet, respond = self._way_out(invocation, source, request)
        exchange = Exchange(request.body, respond, outlet)
        await self._run(invocation, exchange, outlet, self._scope(invocation, request, event))

    def _way_out(
        self, invocation: Invocation, source: EventSource, request: Request
    ) -> tuple[Outlet, Callable[[], Response]]:
        bodiless = request.method == "HEAD"
        if source.streams and self.settings.response_mode == "streaming":
            pad = self.settings.pad_empty_body
            outlet = StreamOutlet(self.api, invocation, self.log)
            return outlet, lambda: StreamedResponse(bodiless=bodiless, pad_empty_body=pad)
        document = DocumentOutlet(self.api, invocation, self.log)
        return document, lambda: BufferedResponse(source.encode, bodiless=bodiless)

    def _scope(self, invocation: Invocation, request: Request, event: Any) -> dict[str, Any]:
        scope = request.scope(self.settings.root_path)
        scope["state"] = self.state.copy()
        scope["extensions"] = {
            "aws.lambda": {
                "event": event,
                "context": LambdaContext(invocation, self.function, self.now),
                "deadline_ms": invocation.deadline_ms - self.settings.deadline_margin_ms,
            }
        }
        return scope

    async def _run(self, invocation: Invocation, exchange: Exchange, outlet: Outlet, scope: dict[str, Any]) -> None:
        clock = asyncio.get_running_loop().time
        remaining = invocation.deadline_ms / 1000 - self.now()
        deadlines = Deadlines.within(clock(), remaining, self.settings.deadline_margin_ms / 1000)
        await outlet.prepare()
        task = _started(self.app(scope, exchange.receive, exchange.send))
        stopped: asyncio.CancelledError | None = None
        try:
            await asyncio.wait({task}, timeout=deadlines.disconnect - clock())
        except asyncio.CancelledError as error:
            stopped = error
            deadlines = Deadlines.within(clock(), min(_STOP_TIME, remaining), _STOP_TIME)
        outcome = await _ended(task, exchange, deadlines)
        self._note(invocation, outcome)
        await _conclude(exchange, outlet, outcome, deadlines.finish - clock())
        if stopped is not None:
            raise stopped

    def _note(self, invocation: Invocation, outcome: Outcome) -> None:
        if outcome.expired:
            self.log.note("The app was still busy when its time was up.", invocation.request_id)
        if outcome.error is not None and not _is_consequence(outcome.error):
            self.log.failure("The app failed.", Failure.of(outcome.error), invocation.request_id)


def _started(app: Awaitable[None]) -> asyncio.Task[None]:
    async def run() -> None:
        try:
            await app
        except (SystemExit, KeyboardInterrupt) as error:
            # Out of a task these two stop the loop: no answer, no shutdown, and other invocations lost with this one.
            raise AppExitError(f"The app called for the end of the process: {error!r}.") from error

    if sys.version_info < (3, 12):
        return asyncio.create_task(run())
    # What an app does before it first waits need not wait for the loop's next turn.
    return asyncio.Task(run(), loop=asyncio.get_running_loop(), eager_start=True)


async def _conclude(exchange: Exchange, outlet: Outlet, outcome: Outcome, patience: float) -> None:
    exchange.close()
    failure = None
    if exchange.began and not exchange.complete and not outcome.expired and outcome.error is not None:
        failure = Failure.of(outcome.error)
    if not exchange.began and not exchange.complete:
        await _replace(exchange, outcome)
    await outlet.finish(failure, patience)


async def _replace(exchange: Exchange, outcome: Outcome) -> None:
    status, text = (504, "Gateway Timeout") if outcome.expired else (500, "Internal Server Error")
    # A service that takes no response says so by its status, which the outlet logs.
    with suppress(ResponseClosedError):
        await exchange.replace(status, text)


async def _ended(task: asyncio.Future[None], exchange: Exchange, deadlines: Deadlines) -> Outcome:
    if task.done():
        return Outcome(_error(task) or _shortfall(exchange), expired=False)
    clock = asyncio.get_running_loop().time
    exchange.disconnect()
    await asyncio.wait({task}, timeout=deadlines.cancel - clock())
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=deadlines.abandon - clock())
    if not task.done():
        return Outcome(IncompleteResponseError("The app did not end when it was cancelled."), expired=True)
    return Outcome(None if task.cancelled() else _error(task), expired=True)


def _error(task: asyncio.Future[None]) -> BaseException | None:
    if task.cancelled():
        return asyncio.CancelledError("The app cancelled itself.")
    return task.exception()


def _shortfall(exchange: Exchange) -> BaseException | None:
    if exchange.complete or exchange.closed:
        return None
    return IncompleteResponseError("The app ended before its response did.")


def _is_consequence(error: BaseException | None) -> bool:
    # What an app raises because its response was ended says nothing that the log does not have already.
    while error is not None:
        if isinstance(error, ResponseClosedError):
            return True
        error = error.__cause__ or error.__context__
    return False
