"""Processes measured outside of the emulator: an import, and FastMCP's web server by itself."""

import asyncio
import os
import subprocess
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bench.http_client import Connection
from bench.variants import JSON_ALONE, free_port, server_command

_READY_INTERVAL = 0.002
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC"}
# The process says that it is done and leaves at once: what an interpreter tears down at its end is no part of a start.
_TELL = "import os; os.write(1, b'.'); os._exit(0)"


def import_ms(python: Path, task_root: Path, statement: str, environment: Mapping[str, str]) -> float:
    """Milliseconds from the start of a fresh process until it has executed an import statement.

    Raises:
        subprocess.CalledProcessError: the import failed.
    """
    command = [str(python), "-c", f"{statement}; {_TELL}"]
    variables = {**_ENVIRONMENT, "PYTHONPATH": str(task_root), **environment}
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=task_root, env=variables) as process:
        assert process.stdout is not None
        told = os.read(process.stdout.fileno(), 1)
        elapsed = time.perf_counter() - began
    if not told:
        raise subprocess.CalledProcessError(process.returncode, command)
    return elapsed * 1000


@asynccontextmanager
async def web_server(python: Path, task_root: Path) -> AsyncIterator[str]:
    """Start FastMCP's web server, and give its URL at once; it may not listen yet."""
    port = free_port()
    variables = {**_ENVIRONMENT, **JSON_ALONE, "PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *server_command(python), cwd=task_root, env=variables, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def connected(url: str) -> Connection:
    """Connect as soon as the server listens."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await Connection.open(url)
            except ConnectionRefusedError:
                await asyncio.sleep(_READY_INTERVAL)
