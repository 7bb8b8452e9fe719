"""One execution environment, from its init phase to its end.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import asyncio
import math
import signal
import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from .config import FunctionConfig
from .connections import drop_connections
from .invocation import FunctionError, Invocation, Report, Stage, report_line
from .process import Launcher, Log, Process
from .runtime_api import TIMED_OUT, RuntimeApi

_LAST_BYTES = 0.25
_SHUTTING_DOWN = FunctionError.of("Sandbox.Failure", "The emulator is shutting down")


class StartFailedError(Exception):
    """Init or restore failed, twice where Lambda tries twice."""

    def __init__(self, error: FunctionError) -> None:
        super().__init__(error.type)
        self.error = error


class Pool(Protocol):
    """Those who use sandboxes."""

    def released(self) -> None:
        """A sandbox may have room for another invocation."""
        ...

    def lost(self, sandbox: "Sandbox") -> None:
        """A sandbox will take no more invocations."""
        ...


class _Phase(Enum):
    INIT = "init"
    SNAPSHOT = "snapshot"
    RESTORE = "restore"
    READY = "ready"
    DEAD = "dead"


class Sandbox:
    """Starts, feeds, freezes and ends one environment. Invocations assigned before it is ready wait for it."""

    def __init__(
        self,
        config: FunctionConfig,
        launcher: Launcher,
        pool: Pool,
        *,
        report: Callable[[Report], None],
        log: Log,
        output: Log,
    ) -> None:
        self._config = config
        self._launcher = launcher
        self._pool = pool
        self._report = report
        self._log = log
        self._output = output
        self._api = RuntimeApi(config, self)
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._phase = _Phase.INIT
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._active: set[Invocation] = set()
        self._backlog: deque[Invocation] = deque()
        self._init_ms: float | None = None
        self._restore_ms: float | None = None
        self._used = False
        self._frozen = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def room(self) -> int:
        """How many more invocations it can take now."""
        if self._phase is _Phase.DEAD:
            return 0
        return self._config.concurrency_per_sandbox - len(self._active) - self._api.late

    @property
    def busy(self) -> bool:
        """Whether an invocation has not ended yet."""
        return bool(self._active)

    @property
    def asleep(self) -> bool:
        """Whether it is a snapshot, to be restored before it can serve."""
        return self._phase is _Phase.SNAPSHOT

    @property
    def settling(self) -> bool:
        """Whether it has answered and is about to ask for its next invocation."""
        return any(invocation.stage is Stage.RESPONDED for invocation in self._active)

    @property
    def initialising(self) -> bool:
        """Whether the init phase is under way."""
        return self._phase is _Phase.INIT and not self._started.done()

    def assign(self, invocation: Invocation) -> None:
        """Take an invocation; there must be room."""
        self._active.add(invocation)
        self._backlog.append(invocation)
        if self._config.concurrency_per_sandbox > 1:
            invocation.answered.add_done_callback(lambda _: self._end(invocation))
        if self._phase is _Phase.READY:
            self._dispatch()

    async def start(self) -> None:
        """Run the init phase, and again within the function's timeout when the first attempt fails.

        With SnapStart there is no second attempt: publishing the version fails. Raises StartFailedError.
        """
        try:
            await self._attempt(self._config.limits.init, "init")
        except StartFailedError as failure:
            if self._config.snapstart or self._phase is _Phase.DEAD:
                raise
            await self._end_process(patient=failure.error.type != TIMED_OUT)
            self._api = RuntimeApi(self._config, self)
            self._started = asyncio.get_running_loop().create_future()
            await self._attempt(self._config.timeout, "invoke")
        self._phase = _Phase.SNAPSHOT if self._api.restoring else _Phase.READY
        if self._backlog and self._phase is _Phase.READY:
            self._dispatch()
        elif self._config.snapstart:
            self._freeze(drop=True)

    async def restore(self) -> None:
        """Run the restore phase, where the runtime waits for one, then serve. Raises StartFailedError."""
        if self._phase is not _Phase.SNAPSHOT:
            return
        self._phase, began = _Phase.RESTORE, time.monotonic()
        self._started = asyncio.get_running_loop().create_future()
        self._thaw()
        self._api.restore()
        await self._wait_started(self._config.limits.restore, "restore")
        self._restore_ms = (time.monotonic() - began) * 1000
        self._log(f"RESTORE_REPORT Restore Duration: {self._restore_ms:.2f} ms")
        self._phase = _Phase.READY
        self._dispatch()

    def ready(self) -> None:
        """Go on: the runtime or an extension waits for what comes next."""
        if not self._api.extensions.ready:
            return
        if not self._started.done():
            if self._api.waiting or self._api.restoring:
                self._started.set_result(None)
        elif self._phase is _Phase.READY:
            self._end_responded()
            self._dispatch()
            self._pool.released()

    def start_failed(self, error: FunctionError) -> None:
        """Give up this start: the runtime reported an error."""
        if not self._started.done():
            self._started.set_exception(StartFailedError(error))

    async def stop(self, error: FunctionError | None = None) -> None:
        """End the environment as Lambda does: SIGTERM first where an extension is registered, else SIGKILL alone."""
        graceful = self._phase is _Phase.READY and error is None and bool(self._api.extensions)
        self._phase = _Phase.DEAD
        self.fail_all(error or _SHUTTING_DOWN)
        await self._end_process(terminate=graceful, patient=error is not None and error.type != TIMED_OUT)

    def fail_all(self, error: FunctionError) -> None:
        """End every invocation with an error."""
        for invocation in list(self._active):
            invocation.finish(error)
            self._end(invocation, error)

    async def _attempt(self, limit: float, phase: str) -> None:
        began = time.monotonic()
        try:
            api = await self._api.start()
            self._process = await self._launcher.launch(self._config, api, self._output)
        except OSError as error:
            raise StartFailedError(FunctionError.of("Runtime.InvalidEntrypoint", str(error))) from error
        self._watcher = asyncio.create_task(self._watch(self._process))
        if self._phase is _Phase.DEAD:
            raise StartFailedError(_SHUTTING_DOWN)
        await self._wait_started(limit, phase)
        self._init_ms = (time.monotonic() - began) * 1000

    async def _wait_started(self, limit: float, phase: str) -> None:
        began = time.monotonic()
        try:
            await asyncio.wait_for(self._started, limit)
        except TimeoutError:
            failure = StartFailedError(FunctionError.of(TIMED_OUT, f"{phase} timed out after {limit:.2f} seconds"))
            self._report_start(began, phase, failure)
            raise failure from None
        except StartFailedError as failure:
            self._report_start(began, phase, failure)
            raise

    def _report_start(self, began: float, phase: str, failure: StartFailedError) -> None:
        name = "RESTORE_REPORT Restore" if phase == "restore" else "INIT_REPORT Init"
        status = "timeout" if failure.error.type == TIMED_OUT else f"error\tError Type: {failure.error.type}"
        self._log(f"{name} Duration: {(time.monotonic() - began) * 1000:.2f} ms\tPhase: {phase}\tStatus: {status}")

    def _dispatch(self) -> None:
        while self._backlog and self._api.waiting:
            self._begin(self._backlog.popleft())

    def _begin(self, invocation: Invocation) -> None:
        self._thaw()
        invocation.deadline_ms = int((time.time() + self._config.timeout) * 1000)
        invocation.began = time.monotonic()
        invocation.stage = Stage.RUNNING
        invocation.cold, self._used = not self._used, True
        self._api.send(invocation)
        self._log(f"START RequestId: {invocation.request_id} Version: $LATEST")
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._config.timeout, self._watch_deadlines)

    def _end_responded(self) -> None:
        if self._config.concurrency_per_sandbox == 1 and self._api.waiting:
            for invocation in [one for one in self._active if one.stage is Stage.RESPONDED]:
                self._end(invocation)
            if not self._active and self._config.freeze:
                self._freeze(drop=self._config.drop_connections)

    def _end(self, invocation: Invocation, error: FunctionError | None = None) -> None:
        if invocation not in self._active:
            return
        self._active.discard(invocation)
        if invocation in self._backlog:
            self._backlog.remove(invocation)
        report = self._measure(invocation, error or invocation.error)
        if self._process is not None:
            self._process.read_output()
        self._log(f"END RequestId: {invocation.request_id}")
        self._log(report_line(report, self._config.memory_mb))
        self._report(report)
        self._pool.released()

    def _measure(self, invocation: Invocation, error: FunctionError | None) -> Report:
        began = invocation.began or time.monotonic()
        first = invocation.first_byte
        return Report(
            request_id=invocation.request_id,
            init_ms=self._init_ms if invocation.cold and not self._config.snapstart else None,
            duration_ms=(time.monotonic() - began) * 1000,
            first_byte_ms=None if first is None else (first - began) * 1000,
            max_memory_mb=self._process.peak_memory_mb() if self._process is not None else None,
            cold=invocation.cold,
            outcome="ok" if error is None else error.type,
            restore_ms=self._restore_ms if invocation.cold else None,
        )

    def _watch_deadlines(self) -> None:
        """End what is overdue, and look again when the oldest of the others will be.

        One timer for all: it is set once in the length of a timeout, not for every invocation.
        """
        self._timer = None
        running = [invocation for invocation in self._active if invocation.began]
        overdue = time.monotonic() - self._config.timeout
        for invocation in running:
            if invocation.began <= overdue:
                self._time_out(invocation)
        if left := [invocation.began - overdue for invocation in running if invocation.began > overdue]:
            self._timer = asyncio.get_running_loop().call_later(min(left), self._watch_deadlines)

    def _time_out(self, invocation: Invocation) -> None:
        message = f"Task timed out after {self._config.timeout:.2f} seconds"
        self._log(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {invocation.request_id} {message}")
        error = FunctionError.of(TIMED_OUT, f"RequestId: {invocation.request_id} Error: {message}")
        invocation.finish(error)
        self._end(invocation, error)
        if self._config.concurrency_per_sandbox == 1:
            self._lose(error)

    async def _watch(self, process: Process) -> None:
        """Wait for the process to end; what it had sent before counts."""
        status = await process.wait()
        self._launcher.forget(process)
        await self._api.drained(_LAST_BYTES)
        error = FunctionError.of("Runtime.ExitError", _exit_message(status))
        self.start_failed(error)
        if self._phase in {_Phase.READY, _Phase.SNAPSHOT}:
            self._lose(error)

    def _lose(self, error: FunctionError) -> None:
        self._phase = _Phase.DEAD
        self.fail_all(error)
        self._pool.lost(self)

    async def _end_process(self, *, terminate: bool = False, patient: bool = False) -> None:
        if self._process is not None and self._watcher is not None:
            if terminate:
                self._thaw()
                self._process.signal(signal.SIGTERM)
            if terminate or patient:
                await asyncio.wait([self._watcher], timeout=self._config.limits.shutdown)
            self._process.signal(signal.SIGKILL)
            await self._api.stop()
            await self._watcher
        else:
            await self._api.stop()

    def _freeze(self, *, drop: bool) -> None:
        if self._process is not None and not self._frozen:
            self._process.signal(signal.SIGSTOP)
            self._frozen = True
            if drop:
                self._drop_connections(self._process.pid)

    def _drop_connections(self, pid: int) -> None:
        try:
            drop_connections(pid, self._api.port)
        except OSError as error:
            self._log(f"The sandbox's connections stay open: {error}")

    def _thaw(self) -> None:
        if self._process is not None and self._frozen:
            self._process.signal(signal.SIGCONT)
            self._frozen = False


def _exit_message(status: int) -> str:
    if status < 0:
        return f"Runtime exited with error: signal: {signal.strsignal(-status) or math.fabs(status)}"
    return f"Runtime exited with error: exit status {status}" if status else "Runtime exited without providing a reason"
