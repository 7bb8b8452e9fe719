"""Requests of doubtful form on the function URL's socket: refused at once, and nothing of them reaches the app."""

import asyncio
import socket
import struct

import pytest

from tests.support.gate import gate

from .emulator_client import call, connect, emulate

pytestmark = pytest.mark.anyio

SMUGGLED = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"


def posted(*fields: str, body: bytes = b"") -> bytes:
    return "".join(f"{line}\r\n" for line in ("POST /event HTTP/1.1", "Host: a", *fields, "")).encode() + body


@pytest.mark.parametrize(
    "request_",
    [
        posted("Transfer-Encoding: chunked", "Content-Length: 5", body=CHUNKED),
        posted("Transfer-Encoding: chunked", "Content-Length: abc", body=CHUNKED),
        posted("Transfer-Encoding: gzip, chunked", body=CHUNKED),
        posted("Transfer-Encoding: xchunked", body=SMUGGLED),
        posted("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=CHUNKED),
        posted("Content-Length: 0", f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED),
        posted("Content-Length: 0, 5", body=b"hello"),
        posted("Content-Length: " + "9" * 5000),
        posted("Content-Length: -1"),
        posted("Content-Length:", body=b"hello"),
        b"POST /event HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED,
        b"GET /event HTTP/1.1\r\n\r\n",
        b"GET /event HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b" /event HTTP/1.1\r\nHost: a\r\n\r\n",
        b"G\x1bT /event HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_a_doubtful_request_is_a_400_and_the_last_on_its_connection(request_):
    async with emulate() as (emulator, _), connect(emulator) as client:
        client.writer.write(request_)
        answer = await client.reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert emulator.reports == []


async def test_equal_lengths_said_twice_are_one():
    async with emulate() as (emulator, _), connect(emulator) as client:
        client.writer.write(posted("Content-Length: 5", "Content-Length: 5", "Connection: close", body=b"hello"))
        assert (await client.reader.read()).startswith(b"HTTP/1.1 200 ")


async def test_a_throttled_head_has_no_body_and_the_connection_lives():
    async with emulate(sandboxes=1) as (emulator, _), gate() as answers, connect(emulator) as client:
        held = asyncio.create_task(call(emulator, f"/held?{answers.port}"))
        await answers.reached()
        for method in ("HEAD", "GET"):
            assert (await client.call("/hello", method)).status == 429
        await answers.open()
        assert (await held).status == 200


async def test_clients_that_vanish_at_once_are_forgotten(caplog):
    async with emulate() as (emulator, _):
        host, _, port = emulator.url.removeprefix("http://").partition(":")
        for _ in range(20):
            with socket.create_connection((host, int(port))) as vanishing:
                vanishing.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert (await call(emulator, "/hello")).status == 200
    assert caplog.records == []
