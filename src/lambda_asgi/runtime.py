"""The runtime: start the app once, then serve invocations until Lambda ends the sandbox.

Run as `python -m lambda_asgi.runtime` by the `bootstrap` beside it.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from . import snapshot
from .asgi import App
from .context import Function
from .errors import HandlerError
from .failure import Failure, Log, stderr_log
from .http1 import Address
from .invocation import Server
from .lifespan import Lifespan
from .loader import load
from .runtime_api import RuntimeApi
from .settings import Settings

# Exit codes; the last two are those of AWS's own runtimes.
STOPPED = 0
FAILED = 1
BEFORE_SNAPSHOT_FAILED = 64
AFTER_RESTORE_FAILED = 65

_EXTENSION_NAME = "lambda-asgi"


class _ExitError(Exception):
    """The process has to end with a code; the reason was reported already."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Runtime(NamedTuple):
    """One sandbox's life: extension, lifespan, snapshot, invocations, shutdown."""

    app: App
    api: RuntimeApi
    settings: Settings
    function: Function
    log: Log

    async def run(self) -> int:
        """Live it; return the exit code."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        extension = await self._register()
        lifespan = Lifespan(self.app)
        try:
            await self._start(lifespan)
            await self._snapshot()
            return await self._serve(lifespan, stop)
        except _ExitError as reason:
            return reason.code
        finally:
            if extension is not None:
                extension.cancel()

    async def _register(self) -> asyncio.Task[None] | None:
        # Only a sandbox with an extension gets SIGTERM, and it counts as ready only while that waits for an event.
        identifier = await self.api.register_extension(_EXTENSION_NAME)
        return asyncio.create_task(self.api.hold_extension(identifier)) if identifier else None

    async def _start(self, lifespan: Lifespan) -> None:
        try:
            await lifespan.startup()
        except Exception as error:
            await report_init_failure(self.api, self.log, error)
            raise _ExitError(FAILED) from error

    async def _snapshot(self) -> None:
        if not self.settings.snap_start:
            return
        try:
            await snapshot.run_before_snapshot()
            gc.collect()
            await self.api.restore_next()
        except Exception as error:
            await report_init_failure(self.api, self.log, error, "Runtime.BeforeSnapshotError")
            raise _ExitError(BEFORE_SNAPSHOT_FAILED) from error
        try:
            await snapshot.run_after_restore()
        except Exception as error:
            failure = Failure.of(error)
            self.log.failure("A hook failed after the restore.", failure)
            await self.api.fail_restore(failure)
            raise _ExitError(AFTER_RESTORE_FAILED) from error

    async def _serve(self, lifespan: Lifespan, stop: asyncio.Event) -> int:
        gc.freeze()
        gc.enable()
        server = Server(self.app, self.api, self.settings, self.function, self.log, lifespan.state)
        workers = {asyncio.create_task(work(server)) for _ in range(self.settings.max_concurrency)}
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({*workers, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in workers:
            task.cancel()
        await asyncio.wait(workers)
        await self._shut_down(lifespan)
        return STOPPED if stopping in done else self._refused(done)

    async def _shut_down(self, lifespan: Lifespan) -> None:
        try:
            await lifespan.shutdown()
        except Exception as error:  # noqa: BLE001 - the process ends either way
            self.log.failure("The app's shutdown failed.", Failure.of(error))

    def _refused(self, done: Iterable[asyncio.Task[Any]]) -> int:
        errors = [task.exception() for task in done]
        for error in errors:
            if error is not None:
                self.log.failure("The Runtime API ended this sandbox.", Failure.of(error))
        return FAILED


async def work(server: Server) -> None:
    """Serve one invocation after the other until cancelled.

    Raises:
        RuntimeApiError: The service refused or is gone.
    """
    poller = server.api.poller()
    try:
        while True:
            await server.serve(await poller.next())
    finally:
        poller.close()


async def report_init_failure(api: RuntimeApi, log: Log, error: BaseException, error_type: str | None = None) -> None:
    """Log why the sandbox cannot start, and tell the service."""
    failure = Failure.of(error)
    log.failure("The app could not be started.", failure)
    await api.fail_init(failure, error_type or _init_error_type(error, failure))


def _init_error_type(error: BaseException, failure: Failure) -> str:
    if isinstance(error, ImportError):
        return "Runtime.ImportModuleError"
    if isinstance(error, HandlerError):
        return "Runtime.HandlerNotFound"
    return failure.qualified_type("Runtime")


def main() -> int:
    """Run in this process's environment; return the exit code."""
    # What an app imports survives: collecting meanwhile is time lost in every cold start.
    gc.disable()
    log = stderr_log()
    address = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    if not address:
        sys.stderr.write("AWS_LAMBDA_RUNTIME_API is not set: this process is not running in a Lambda environment.\n")
        return FAILED
    api = RuntimeApi(Address.parse(address))
    try:
        settings = Settings.from_environment(os.environ)
        app = load(settings.handler)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the service must hear of it
        asyncio.run(report_init_failure(api, log, error))
        return FAILED
    return asyncio.run(Runtime(app, api, settings, Function.from_environment(os.environ), log).run())


if __name__ == "__main__":
    sys.exit(main())
