"""A function: its sandboxes, and which of them takes an invocation."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress

from .config import FunctionConfig
from .invocation import Invocation, Report, ThrottledError
from .process import Launcher, Log
from .sandbox import Sandbox, StartFailedError


class Function:
    """Starts sandboxes as invocations come, up to the function's concurrency."""

    def __init__(self, config: FunctionConfig, report: Callable[[Report], None], log: Log) -> None:
        self._config = config
        self._report = report
        self._log = log
        self._launcher = Launcher(log)
        self._sandboxes: list[Sandbox] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._change = asyncio.Event()
        self._count = 0

    async def start(self) -> None:
        """Prepare the host; with SnapStart, take the first snapshot, as publishing a version does."""
        await self._launcher.start(self._config)
        if self._config.snapstart:
            await self._start(self._new())

    async def stop(self) -> None:
        """End every sandbox and everything started for one."""
        await asyncio.gather(*(sandbox.stop() for sandbox in self._sandboxes))
        self._sandboxes.clear()
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._launcher.stop()

    def offer(self, invocation: Invocation) -> bool:
        """Give an invocation to a sandbox that has room; return whether there is one."""
        sandbox = self._free()
        if sandbox is not None:
            self._give(sandbox, invocation)
        return sandbox is not None

    async def place(self, invocation: Invocation) -> None:
        """Give an invocation to a sandbox that is about to have room, or else to a new one. Raises ThrottledError."""
        sandbox = await self._settled()
        if sandbox is None:
            sandbox = self._new()
            self._spawn(self._start(sandbox))
        self._give(sandbox, invocation)

    async def invoke(self, invocation: Invocation) -> None:
        """Have an invocation served; return when it is answered. Raises ThrottledError."""
        if not self.offer(invocation):
            await self.place(invocation)
        await asyncio.shield(invocation.answered)

    async def idle(self) -> None:
        """Wait until no invocation is under way, background work and reports included."""
        while any(sandbox.busy for sandbox in self._sandboxes):
            self._change.clear()
            await self._change.wait()

    def released(self) -> None:
        """Note that a sandbox may have room."""
        self._change.set()

    def lost(self, sandbox: Sandbox) -> None:
        """Take a dead sandbox out of service."""
        self._discard(sandbox)
        self._spawn(sandbox.stop())

    def _give(self, sandbox: Sandbox, invocation: Invocation) -> None:
        if sandbox.asleep:
            self._spawn(self._restore(sandbox))
        sandbox.assign(invocation)

    def _free(self) -> Sandbox | None:
        """Return the sandbox with room that was used last, as Lambda prefers."""
        sandbox = next((one for one in reversed(self._sandboxes) if one.room > 0), None)
        if sandbox is not None and sandbox is not self._sandboxes[-1]:
            self._sandboxes.remove(sandbox)
            self._sandboxes.append(sandbox)
        return sandbox

    async def _settled(self) -> Sandbox | None:
        """Wait a moment for a sandbox that has answered and is about to have room."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._config.limits.settle):
                while any(sandbox.settling for sandbox in self._sandboxes):
                    self._change.clear()
                    await self._change.wait()
                    if sandbox := self._free():
                        return sandbox
        return self._free()

    def _new(self) -> Sandbox:
        if len(self._sandboxes) >= self._config.sandboxes:
            raise ThrottledError
        self._count += 1
        prefix = f"sandbox {self._count} | "
        sandbox = Sandbox(
            self._config,
            self._launcher,
            self,
            report=self._report,
            log=self._log,
            output=lambda line: self._log(prefix + line),
        )
        self._sandboxes.append(sandbox)
        return sandbox

    async def _start(self, sandbox: Sandbox) -> None:
        try:
            await sandbox.start()
        except StartFailedError as failure:
            await self._give_up(sandbox, failure)
        else:
            if sandbox.asleep and sandbox.busy:
                await self._restore(sandbox)

    async def _restore(self, sandbox: Sandbox) -> None:
        try:
            await sandbox.restore()
        except StartFailedError as failure:
            await self._give_up(sandbox, failure)

    async def _give_up(self, sandbox: Sandbox, failure: StartFailedError) -> None:
        self._discard(sandbox)
        await sandbox.stop(failure.error)

    def _discard(self, sandbox: Sandbox) -> None:
        if sandbox in self._sandboxes:
            self._sandboxes.remove(sandbox)
        self._change.set()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
