"""The product through the emulated function URL: streaming, many clients, many calls."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client

from lambda_asgi.emulator import Emulator
from tests.support.function import function
from tests.support.gate import PATIENCE, gate

pytestmark = pytest.mark.anyio

HANDLER = "tests.e2e.app.app"


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with function(HANDLER, sandboxes=1) as running:
        yield running


def call(name: str, arguments: dict[str, Any], number: int = 1, **meta: Any) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments, "_meta": meta}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


async def post(client: httpx2.AsyncClient, message: dict[str, Any]) -> Any:
    reply = await client.post("/mcp", json=message, headers={"accept": "application/json, text/event-stream"})
    return reply.json()


def structured(reply: Any) -> Any:
    return reply["result"]["structuredContent"]


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_progress_reaches_the_client_as_it_is_sent(mode: str) -> None:
    arrived: list[float] = []
    # A client that has its result may ask again while that stream still ends: one sandbox would be one too few.
    async with (
        function(HANDLER, sandboxes=3) as emulator,
        gate() as after_each,
        Client(f"{emulator.url}/mcp", mode=mode) as client,
    ):

        async def progress(done: float, _total: float | None, _message: str | None) -> None:
            arrived.append(done)
            await after_each.open()

        result = await client.call_tool("ticks", {"gate": after_each.port}, progress_callback=progress)
    assert result.structured_content == {"sent": 5}
    assert arrived == [1, 2, 3, 4, 5]


async def test_a_plain_answer_is_plain_json(emulator: Emulator) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url, timeout=PATIENCE) as client:
        reply = await client.post(
            "/mcp",
            json=call("echo", {"message": "plain"}),
            headers={"accept": "application/json, text/event-stream"},
        )
    assert reply.headers["content-type"] == "application/json"


async def test_a_thousand_calls_leave_nothing_behind(emulator: Emulator) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url, timeout=30) as client:
        for number in range(200):
            await post(client, call("echo", {"message": "warm"}, number))
        before = structured(await post(client, call("census", {})))
        for number in range(1000):
            reply = await post(client, call("echo", {"message": f"call {number}"}, number))
            assert reply["id"] == number
            assert structured(reply) == {"message": f"call {number}"}
        after = structured(await post(client, call("census", {})))
    assert after["pid"] == before["pid"]
    assert after["tasks"] == before["tasks"]
    assert after["files"] == before["files"]
    assert after["objects"] - before["objects"] < 500
    assert after["resident"] - before["resident"] < 2_000_000


async def test_fifty_clients_at_once_each_get_their_own_answer() -> None:
    replies: dict[int, Any] = {}

    async def one(client: httpx2.AsyncClient, number: int) -> None:
        arguments = {"message": f"for {number}", "seconds": 0.05 * (number % 4)}
        replies[number] = await post(client, call("slow_echo", arguments, number))

    async with (
        function(HANDLER, sandboxes=8) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, timeout=60) as client,
    ):
        limiter = anyio.CapacityLimiter(8)

        async def limited(number: int) -> None:
            async with limiter:
                await one(client, number)

        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(limited, number)
    assert {number: structured(reply)["message"] for number, reply in replies.items()} == {
        number: f"for {number}" for number in range(50)
    }
    assert all(reply["id"] == number for number, reply in replies.items())
    assert len({structured(reply)["pid"] for reply in replies.values()}) > 1


async def test_fifty_clients_at_once_in_one_sandbox() -> None:
    replies: dict[int, Any] = {}
    async with (
        function(HANDLER, sandboxes=1, concurrency_per_sandbox=50) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, timeout=60, limits=httpx2.Limits(max_connections=50)) as client,
        anyio.create_task_group() as group,
    ):

        async def one(number: int) -> None:
            arguments = {"message": f"for {number}", "seconds": 0.05 * (number % 4)}
            replies[number] = await post(client, call("slow_echo", arguments, number))

        for number in range(50):
            group.start_soon(one, number)
    assert {number: structured(reply)["message"] for number, reply in replies.items()} == {
        number: f"for {number}" for number in range(50)
    }
    assert len({structured(reply)["pid"] for reply in replies.values()}) == 1


async def test_a_tool_that_is_late_answers_with_a_sentence() -> None:
    async with (
        function(HANDLER, environment={"TOOL_TIMEOUT_SECONDS": "0.2"}) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, timeout=PATIENCE) as client,
    ):
        reply = await post(client, call("slow_echo", {"message": "never", "seconds": 60}))
    assert reply["result"]["isError"] is True
    assert "in time" in json.dumps(reply)


async def test_a_tool_ends_before_lambdas_deadline() -> None:
    async with (
        function(HANDLER, timeout=4) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, timeout=PATIENCE) as client,
    ):
        late = await post(client, call("slow_echo", {"message": "never", "seconds": 60}))
        pid = structured(await post(client, call("census", {})))["pid"]
        again = structured(await post(client, call("census", {})))["pid"]
    assert late["result"]["isError"] is True
    assert pid == again
