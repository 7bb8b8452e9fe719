"""The `mcpx` command in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MCPX = Path(sys.executable).with_name("mcpx")
READY_SECONDS = 30


@dataclass
class Command:
    """A running `mcpx serve` or `mcpx lambda`."""

    process: subprocess.Popen[str]
    url: str
    errors: IO[str]

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and give the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=35)

    def log(self) -> str:
        """What it has written to standard error so far."""
        self.errors.seek(0)
        return self.errors.read()


def environment(extra: Mapping[str, str] = {}) -> dict[str, str]:
    """Little more than PATH: nothing of the host's settings."""
    return {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), **extra}


@contextmanager
def running(*arguments: str, env: Mapping[str, str] = {}) -> Iterator[Command]:
    """`mcpx ARGUMENTS` on a free port, once it says that it is ready; killed at the end if it still runs."""
    with tempfile.TemporaryFile("a+") as errors:
        process = subprocess.Popen(
            [MCPX, *arguments, "--port", "0"],
            env=environment(env),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Command(process, _url(process, errors), errors)
        finally:
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()


def _url(process: subprocess.Popen[str], errors: IO[str]) -> str:
    assert process.stdout
    giving_up = threading.Timer(READY_SECONDS, process.kill)
    giving_up.start()
    try:
        for line in process.stdout:
            if found := re.search(r"(http://\S+)/mcp$", line.strip()):
                return found[1]
    finally:
        giving_up.cancel()
    errors.seek(0)
    raise AssertionError(f"it never became ready:\n{errors.read()}")
