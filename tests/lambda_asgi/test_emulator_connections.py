"""Connections to the emulator: kept open, opened early, used ahead of time, broken; and what is said when."""

import asyncio
import os
import resource
import socket

import pytest

from tests.support.gate import PATIENCE, gate

from .emulator_client import call, connect, emulate

pytestmark = pytest.mark.anyio

GET = b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n"


async def runtime_api(emulator):
    """Open a connection to the Runtime API of the emulator's sandbox, as its runtime would."""
    host, _, port = (await call(emulator, "/environ")).json()["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
    await emulator.idle()
    return await asyncio.open_connection(host, int(port))


async def test_a_connection_on_which_nothing_comes_harms_nobody():
    async with emulate(sandboxes=1, freeze=False) as (emulator, _):
        reader, writer = await runtime_api(emulator)
        for _ in range(3):
            assert (await call(emulator, "/hello")).body == b"hello"
        writer.write(b"GET /2018-06-01/nothing HTTP/1.1\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
        assert (await emulator.invoke({"rawPath": "/exit"})).error.type == "Runtime.ExitError"
        writer.close()


async def test_the_end_of_the_emulator_ends_a_connection_on_which_nothing_came():
    async with emulate(sandboxes=1, freeze=False) as (emulator, _):
        reader, writer = await runtime_api(emulator)
    assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
    writer.close()


async def test_requests_sent_ahead_are_answered_in_turn():
    async with emulate(sandboxes=1) as (emulator, _), connect(emulator) as client:
        client.writer.write(GET % b"hello" + GET % b"who" + GET % b"hello")
        bodies = [(await client.receive()).body for _ in range(3)]
        assert bodies[0] == bodies[2] == b"hello"
        assert b'"pid"' in bodies[1]
        await emulator.idle()
        assert [report.outcome for report in emulator.reports] == ["ok"] * 3


async def test_a_request_that_comes_byte_by_byte_is_one():
    head = b"POST /event HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n"
    async with emulate() as (emulator, _), connect(emulator) as client:
        for at in range(len(request)):
            client.writer.write(request[at : at + 1])
            await asyncio.sleep(0)
        event = (await client.receive()).json()["event"]
    assert event["headers"]["content-length"] == "5"


async def test_a_client_that_says_no_more_is_still_answered():
    async with emulate() as (emulator, _), gate() as answers, connect(emulator) as client:
        await client.send(f"/held?{answers.port}")
        client.writer.write_eof()
        await answers.reached()
        await answers.open()
        assert (await client.receive()).status == 200
        assert await client.reader.read() == b""


async def test_a_client_that_breaks_off_in_mid_response_is_not_mentioned_to_the_function():
    async with emulate(sandboxes=1, throttle=False) as (emulator, lines):
        async with connect(emulator) as client:
            await client.send("/big?20000000")
            await client.reader.readuntil(b"\r\n\r\n")
            client.writer.transport.abort()
        await lines.until("status 202")
        await emulator.idle()
        assert emulator.reports[0].outcome == "ok"
        assert (await call(emulator, "/hello")).status == 200


async def test_what_an_invocation_printed_precedes_its_end():
    async with emulate(sandboxes=1) as (emulator, lines):
        for _ in range(20):
            await call(emulator, "/hello")
            await emulator.idle()
        kinds = [line.split()[0] for line in lines if line.startswith(("END", "START"))]
        told = [line for line in lines if "status 202" in line or line.startswith("END")]
    assert kinds == ["START", "END"] * 20
    assert [line.startswith("END") for line in told] == [False, True] * 20


async def test_a_timeout_counts_from_each_invocations_own_beginning():
    async with emulate("concurrent", sandboxes=1, concurrency_per_sandbox=2, timeout=1) as (emulator, _):
        first = asyncio.create_task(emulator.invoke({"rawPath": "/hang", "rawQueryString": ""}))
        await asyncio.sleep(0.4)
        await emulator.invoke({"rawPath": "/hang", "rawQueryString": ""})
        await first
        assert [report.outcome for report in emulator.reports] == ["Sandbox.Timedout"] * 2
        assert min(report.duration_ms for report in emulator.reports) > 990


async def test_connections_beyond_the_systems_limit_wait():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with emulate(sandboxes=1) as (emulator, _):
        assert (await call(emulator, "/hello")).status == 200
        await emulator.idle()
        host, _, port = emulator.url.removeprefix("http://").rpartition(":")
        waiting = socket.socket()
        waiting.setblocking(False)
        lowest_free = os.dup(waiting.fileno())
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
        try:
            waiting.connect_ex((host, int(port)))
            for _ in range(10):
                await asyncio.sleep(0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        reader, writer = await asyncio.open_connection(sock=waiting)
        writer.write(GET % b"hello")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()
