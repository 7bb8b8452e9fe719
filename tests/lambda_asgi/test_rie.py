"""AWS's own Runtime Interface Emulator as the service: it enforces the protocol (and buffers what is streamed)."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lambda_asgi import http1
from tests.support.sandbox import BOOTSTRAP, SOURCE, environment
from tests.support.tools import lambda_emulator

from .conftest import APPS
from .events import function_url

pytestmark = [pytest.mark.anyio, pytest.mark.sam]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def emulated() -> AsyncIterator[http1.Address]:
    front, api = (f"127.0.0.1:{free_port()}" for _ in range(2))
    addresses = ["--runtime-interface-emulator-address", front, "--runtime-api-address", api]
    env = environment(f"{APPS}.routes", api, AWS_LAMBDA_FUNCTION_TIMEOUT="5")
    process = await asyncio.create_subprocess_exec(
        str(lambda_emulator()),
        *addresses,
        str(BOOTSTRAP),
        sys.executable,
        "/var/runtime/bootstrap.py",
        env=env,
        cwd=SOURCE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await listening(http1.Address.parse(front))
        yield http1.Address.parse(front)
    finally:
        os.killpg(process.pid, 9)
        await process.wait()


async def listening(address: http1.Address) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await http1.connect(address)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def invoke(address: http1.Address, event: Any) -> bytes:
    path = "/2015-03-31/functions/function/invocations"
    reply = await asyncio.wait_for(http1.request(address, "POST", path, body=json.dumps(event).encode()), 20)
    assert reply.status == 200
    return reply.body


async def test_awss_emulator_takes_what_the_runtime_sends():
    async with emulated() as address:
        for _ in range(3):
            body = await invoke(address, function_url("/small"))
            assert body.endswith(bytes(8) + b"ok")
        seen = json.loads((await invoke(address, function_url("/echo"))).partition(bytes(8))[2])
        assert seen["context"]["aws_request_id"]
        assert seen["state"] == {"startups": 1}
        assert len((await invoke(address, function_url("/cookies"))).partition(bytes(8))[0]) > 2
        assert b'"statusCode":500' in await invoke(address, function_url("/early_raise"))
        assert (await invoke(address, function_url("/late_raise"))).endswith(b"begun")
        assert await invoke(address, {"source": "aws.events"}) == b"null"
        assert (await invoke(address, function_url("/never_ends"))).endswith(b"tick")
        assert (await invoke(address, function_url("/small"))).endswith(b"ok")
