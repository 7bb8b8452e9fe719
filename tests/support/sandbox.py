"""A process started as Lambda starts it: through `bootstrap`, with Lambda's environment and nothing of the host's."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lambda_asgi
from tests.support import coverage
from tests.support.gate import PATIENCE

ROOT = Path(__file__).parents[2]
SOURCE = Path(lambda_asgi.__file__).parents[1]
BOOTSTRAP = SOURCE / "lambda_asgi" / "bootstrap"


def environment(handler: str, runtime_api: str, **extra: str) -> dict[str, str]:
    return {
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "_HANDLER": handler,
        "LAMBDA_TASK_ROOT": str(SOURCE),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "PYTHONPATH": str(ROOT),
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "eu-west-1",
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin/:/bin",
        **coverage.variables(),
        **extra,
    }


@dataclass
class Sandbox:
    """The process and what it wrote so far."""

    process: asyncio.subprocess.Process
    output: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    wrote: asyncio.Condition = field(default_factory=asyncio.Condition)
    readers: list[asyncio.Task[None]] = field(default_factory=list)

    async def says(self, text: bytes) -> None:
        """Wait until it wrote this to standard output."""
        await self._until(lambda: text in self.output)

    async def logs(self, text: bytes) -> None:
        """Wait until it wrote whole lines to standard error, this among them."""
        await self._until(lambda: text in self.errors and self.errors.endswith(b"\n"))

    async def _until(self, happened: Callable[[], bool]) -> None:
        async with self.wrote:
            await asyncio.wait_for(self.wrote.wait_for(happened), PATIENCE)

    async def copy(self, reader: asyncio.StreamReader | None, target: bytearray) -> None:
        assert reader is not None
        while data := await reader.read(65536):
            target += data
            async with self.wrote:
                self.wrote.notify_all()

    async def exit_code(self) -> int:
        code = await asyncio.wait_for(self.process.wait(), PATIENCE)
        await asyncio.wait_for(asyncio.gather(*self.readers), PATIENCE)
        return code

    @property
    def log(self) -> list[dict[str, Any]]:
        """The runtime's own lines."""
        return [json.loads(line) for line in self.errors.decode().splitlines() if line.startswith("{")]

    def memory_kb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


@asynccontextmanager
async def sandbox(
    handler: str, runtime_api: str, *arguments: str, cwd: Path = SOURCE, env: Mapping[str, str] | None = None
) -> AsyncIterator[Sandbox]:
    """Start the process; end it, whatever happened, at the end."""
    command = arguments or (sys.executable, "/var/runtime/bootstrap.py")
    process = await asyncio.create_subprocess_exec(
        str(BOOTSTRAP),
        *command,
        cwd=cwd,
        env=environment(handler, runtime_api, **(env or {})),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    box = Sandbox(process)
    streams = ((process.stdout, box.output), (process.stderr, box.errors))
    box.readers = [asyncio.create_task(box.copy(reader, target)) for reader, target in streams]
    try:
        yield box
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await asyncio.gather(*box.readers)
