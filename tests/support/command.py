"""The `mcpx` command in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support import coverage

MCPX = Path(sys.executable).with_name("mcpx")
READY_SECONDS = 30


class Command:
    """A running `mcpx serve` or `mcpx lambda`, and what it prints."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = ""
        self._lines: list[str] = []
        self._ready = threading.Event()
        self._printed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_until_ready(self) -> None:
        """Return once it has told its URL."""
        if not self._ready.wait(READY_SECONDS) or not self.url:
            raise AssertionError(f"it never became ready:\n{self.output}")

    def wait_for(self, text: str) -> None:
        """Return once it has printed this."""
        with self._printed:
            assert self._printed.wait_for(lambda: text in self.output, READY_SECONDS), self.output

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and give the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=35)
        self._reader.join()
        return status

    def kill(self) -> None:
        """End it whatever it does."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return "".join(self._lines)

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                with self._printed:
                    self._lines.append(line)
                    self._printed.notify_all()
                if not self.url and (found := re.search(r"^ +(http://\S+)/mcp$", line.rstrip())):
                    self.url = found[1]
                    self._ready.set()
        self._ready.set()


def environment(extra: Mapping[str, str] = {}) -> dict[str, str]:
    """Little more than PATH: nothing of the host's settings."""
    return {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), **coverage.variables(), **extra}


@contextmanager
def running(*arguments: str, env: Mapping[str, str] = {}, program: Sequence[str | Path] = (MCPX,)) -> Iterator[Command]:
    """`mcpx ARGUMENTS` on a free port, once it says that it is ready; killed at the end if it still runs."""
    process = subprocess.Popen(
        [*program, *arguments, "--port", "0"],
        env=environment(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    command = Command(process)
    try:
        command.wait_until_ready()
        yield command
    finally:
        command.kill()
