"""A sandbox's processes: started, frozen, thawed, ended; and what they print."""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from .config import FunctionConfig, environment
from .wire import READ_SIZE

Log = Callable[[str], None]

_STATUS_SIZE = 8192

# `cd` enters the mount just made: the directory that the shell started in is still the writable one.
_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && unset OLDPWD && exec "$@"'

_WATCHDOG = """
trap '' HUP INT TERM
while read -r word; do
    case $word in
        +*) groups="$groups ${word#+}" ;;
        -*) left=; for group in $groups; do [ "$group" = "${word#-}" ] || left="$left $group"; done; groups=$left ;;
    esac
done
for group in $groups; do kill -KILL "-$group"; done
"""


class Output:
    """One of a process's output streams, taken line by line."""

    def __init__(self, log: Log) -> None:
        """Open a pipe; `log` takes each line."""
        self._log = log
        self._rest = b""
        self._source, self.sink = os.pipe()
        os.set_blocking(self._source, False)
        self.ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._source, self.read)

    def read(self) -> None:
        """Take what has been printed so far: a pipe holds no more than one read takes."""
        if self.ended.is_set():
            return
        try:
            data = os.read(self._source, READ_SIZE)
        except BlockingIOError:
            return
        if data:
            *lines, self._rest = (self._rest + data).split(b"\n")
        else:
            lines = [self._rest] if self._rest else []
            self._end()
        for line in lines:
            self._log(line.decode("utf-8", "replace"))

    def close_sink(self) -> None:
        """Leave the writing end to the process."""
        os.close(self.sink)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._source)
        os.close(self._source)
        self.ended.set()


class Process:
    """One process group of its own session, so that it can be signalled as a whole."""

    def __init__(self, process: asyncio.subprocess.Process, outputs: Sequence[Output]) -> None:
        self._process = process
        self._outputs = outputs
        self._status: int | None = None
        self.pid = process.pid

    async def wait(self) -> int:
        """Wait for the process to end and its output to be passed on; return its exit status (negative: a signal)."""
        status = await self._process.wait()
        self.signal(signal.SIGKILL)
        for output in self._outputs:
            await output.ended.wait()
        self._close_status()
        return status

    def read_output(self) -> None:
        """Pass on what has been printed so far."""
        for output in self._outputs:
            output.read()

    def signal(self, number: int) -> None:
        """Send a signal to the whole group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def peak_memory_mb(self) -> int | None:
        """Return the peak resident set of the first process in MB, None where the host does not tell."""
        try:
            status = os.pread(self._open_status(), _STATUS_SIZE, 0)
        except OSError:
            return None
        _, found, rest = status.partition(b"VmHWM:")
        return round(int(rest.split(None, 1)[0]) / 1024) if found else None

    def _open_status(self) -> int:
        """Return the descriptor of the process's status, which is read at the end of every invocation."""
        if self._status is None:
            self._status = os.open(f"/proc/{self.pid}/status", os.O_RDONLY)
        return self._status

    def _close_status(self) -> None:
        if self._status is not None:
            os.close(self._status)
            self._status = None


def _mount_prefix() -> list[str]:
    """Return what precedes a command to give it a mount namespace of its own, nothing where there is no such tool."""
    unshare = shutil.which("unshare") if sys.platform == "linux" else None
    if unshare is None:
        return []
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return [unshare, "--mount", *as_root, "/bin/sh", "-c", _READ_ONLY]


class Launcher:
    """Starts sandboxes, and sees to it that none outlives the emulator however that one ends."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._prefix: list[str] = []
        self._watchdog: asyncio.subprocess.Process | None = None

    async def start(self, config: FunctionConfig) -> None:
        """Start the watchdog: a shell that kills every group still on its list when this process is gone."""
        self._watchdog = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", _WATCHDOG, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
        if config.read_only:
            self._prefix = await self._read_only_prefix(config)

    async def stop(self) -> None:
        """End the watchdog."""
        if self._watchdog is not None and self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
            await self._watchdog.wait()

    async def launch(self, config: FunctionConfig, api: str, log: Log) -> Process:
        """Start a sandbox's process. Raises OSError.

        Args:
            config: the function.
            api: host and port of its Runtime API.
            log: takes each line that it prints.
        """
        if not os.access(config.exec_wrapper, os.X_OK):
            raise FileNotFoundError(f"the exec wrapper {config.exec_wrapper} is missing or not executable")
        outputs = [Output(log), Output(log)]
        command = [*self._prefix, *config.command]
        try:
            started = await _spawn(command, config, environment(config, api), *(output.sink for output in outputs))
        finally:
            for output in outputs:
                output.close_sink()
        self._watch(f"+{started.pid}")
        return Process(started, outputs)

    def forget(self, process: Process) -> None:
        """Take an ended process off the watchdog's list, before its id can be given to another."""
        self._watch(f"-{process.pid}")

    def _watch(self, word: str) -> None:
        if self._watchdog is not None and self._watchdog.stdin is not None:
            self._watchdog.stdin.write(f"{word}\n".encode())

    async def _read_only_prefix(self, config: FunctionConfig) -> list[str]:
        prefix = _mount_prefix()
        prefix = [*prefix, str(config.root)] if prefix else []
        if prefix:
            probe = await _spawn([*prefix, "/bin/sh", "-c", "! [ -w . ]"], config, environment(config, "127.0.0.1:0"))
            if await probe.wait() == 0:
                return prefix
        self._log(
            "The task root stays writable: this host permits no read-only mount of it. On Lambda it is read-only."
        )
        return []


async def _spawn(
    command: list[str],
    config: FunctionConfig,
    variables: Mapping[str, str],
    stdout: int = DEVNULL,
    stderr: int = DEVNULL,
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=DEVNULL,
        stdout=stdout,
        stderr=stderr,
        cwd=config.root,
        env=dict(variables),
        start_new_session=True,
    )
