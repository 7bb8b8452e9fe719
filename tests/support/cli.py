"""The `mcpx` command as a person at a terminal uses it, and as a script does."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.command import MCPX, Command, environment
from tests.support.gate import PATIENCE

CTRL_C = b"\x03"

Done = subprocess.CompletedProcess[str]

# Ctrl-C is a signal to whoever has the terminal for its own.
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Cli:
    """Runs commands in a folder of their own, with nothing in the environment but what is given."""

    def __init__(self, folder: Path, env: Mapping[str, str] = {}) -> None:
        self.folder = folder
        self.env = environment(env)

    def __call__(self, *arguments: str, stdin: str | bytes = b"") -> Done:
        """Run a command to its end."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [MCPX, *arguments], check=False, env=self.env, cwd=self.folder, input=data, capture_output=True, timeout=60
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *arguments: str, stdin: str | bytes = b"") -> str:
        """Run a command that works; its standard output."""
        done = self(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *arguments: str, stdin: str | bytes = b"") -> str:
        """Run a command that says in one line why it cannot; that line."""
        done = self(*arguments, stdin=stdin)
        assert done.returncode == 1, done.stderr
        assert done.stdout == ""
        assert done.stderr.startswith("mcpx: ")
        assert done.stderr.count("\n") == 1
        return done.stderr

    def typed(self, *arguments: str, answers: list[bytes]) -> tuple[int, str]:
        """Run a command at a terminal and answer its prompts; the exit status, and all that the terminal showed."""
        screen, keyboard = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, MCPX, *arguments],
            env=self.env,
            cwd=self.folder,
            stdin=keyboard,
            stdout=keyboard,
            stderr=keyboard,
            start_new_session=True,
        )
        os.close(keyboard)
        try:
            shown = b""
            for answer in answers:
                shown += _until_prompt(screen)
                _press(screen, answer)
            shown += _rest(screen)
            return process.wait(PATIENCE), shown.decode()
        finally:
            process.kill()
            process.wait()
            os.close(screen)


@contextmanager
def started(*arguments: str, env: Mapping[str, str]) -> Iterator[Command]:
    """`mcpx serve` or `mcpx lambda` on whatever port and for whatever public URL, once it says that it is ready."""
    process = subprocess.Popen(
        [MCPX, *arguments], env=environment(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    command = Command(process)
    try:
        command.wait_for("Ctrl-C stops it.")
        yield command
    finally:
        command.kill()


def _until_prompt(screen: int) -> bytes:
    shown = b""
    while not shown.endswith(b": "):
        assert select.select([screen], [], [], PATIENCE)[0], shown
        shown += os.read(screen, 4096)
    return shown


def _press(screen: int, answer: bytes) -> None:
    """Type an answer; Ctrl-C once more if need be, since one just before the reading is heard only after it."""
    for _ in range(PATIENCE):
        os.write(screen, answer)
        if answer != CTRL_C or select.select([screen], [], [], 1)[0]:
            return
    raise AssertionError("Ctrl-C was never heard")


def _rest(screen: int) -> bytes:
    shown = b""
    while True:
        assert select.select([screen], [], [], PATIENCE)[0], shown
        try:
            data = os.read(screen, 4096)
        except OSError:  # Linux's word for the end of a terminal
            return shown
        if not data:
            return shown
        shown += data
