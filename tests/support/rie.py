"""AWS's own Runtime Interface Emulator, running a function through its exec wrapper."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.sandbox import SOURCE, environment
from tests.support.tools import lambda_emulator


@asynccontextmanager
async def rie(
    handler: str, *, task_root: Path = SOURCE, python: str = sys.executable, **variables: str
) -> AsyncIterator[str]:
    """The URL that an event is posted to; the reply is the function's whole response, prelude included."""
    front, api = (f"127.0.0.1:{_free_port()}" for _ in range(2))
    addresses = ["--runtime-interface-emulator-address", front, "--runtime-api-address", api]
    wrapper = str(task_root / "lambda_asgi" / "bootstrap")
    process = await asyncio.create_subprocess_exec(
        str(lambda_emulator()),
        *addresses,
        wrapper,
        python,
        "/var/runtime/bootstrap.py",
        env=environment(handler, api, LAMBDA_TASK_ROOT=str(task_root), **variables),
        cwd=task_root,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await _listening(front)
        yield f"http://{front}/2015-03-31/functions/function/invocations"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def _listening(address: str) -> None:
    host, port = address.split(":")
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
