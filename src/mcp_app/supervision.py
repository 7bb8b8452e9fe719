"""Running what somebody else wrote, so that it can neither outlast its time nor take the server with it."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

import anyio

T = TypeVar("T")

GRACE_SECONDS: Final = 0.5
"""For cleaning up after a cancellation; what still runs then is left to itself."""

logger = logging.getLogger(__name__)


class AbortedError(Exception):
    """The work raised what would have ended the task, the event loop or the process that it ran in."""


async def supervised(work: Callable[[], Awaitable[T]], seconds: float) -> T:
    """What the work gives, if it gives it in time. It is cancelled when its time is up, or when the caller is.

    Raises:
        TimeoutError: it was not done in so many seconds.
        AbortedError: it raised no `Exception` but `SystemExit`, say, or cancelled itself.
        Exception: what it raised.
    """
    task = _started(_without_exit(work))
    task.add_done_callback(_look)
    if not task.done():
        await _watch(task, seconds)
    return _result(task)


def _started(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    if sys.version_info < (3, 12):
        return asyncio.create_task(work)
    # What is done without waiting for anything is then done already, which is most of the time of a brief call.
    return asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)


async def _watch(task: asyncio.Task[T], seconds: float) -> None:
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            await _end(task)
    if not task.done() or (task.cancelled() and not done):
        raise TimeoutError


async def _without_exit(work: Callable[[], Awaitable[T]]) -> T:
    try:
        return await work()
    except (SystemExit, KeyboardInterrupt) as error:
        # Out of a task, these two stop the event loop, and with it every other call.
        raise AbortedError(repr(error)) from error


async def _end(task: asyncio.Task[T]) -> None:
    task.cancel()
    with anyio.CancelScope(shield=True):
        await asyncio.wait({task}, timeout=GRACE_SECONDS)
    if not task.done():
        logger.warning("work goes on though it was cancelled: %s", task)


def _look(task: asyncio.Task[T]) -> None:
    """Look at how it ended, so that asyncio does not complain that nobody did where the caller left."""
    if not task.cancelled():
        task.exception()


def _result(task: asyncio.Task[T]) -> T:
    if task.cancelled():
        raise AbortedError("the work cancelled itself")
    error = task.exception()
    if error is None or isinstance(error, Exception):
        return task.result()
    raise AbortedError(repr(error)) from error
