"""The connection that a response leaves by: made while the app works, used when there is something to send."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from lambda_asgi.context import Invocation
from lambda_asgi.failure import Log
from lambda_asgi.http1 import Address
from lambda_asgi.outlet import StreamOutlet
from lambda_asgi.runtime_api import RuntimeApi

pytestmark = pytest.mark.anyio

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


class Service:
    """Accepts connections and, of each, keeps what came; drops the first `drops` at once."""

    def __init__(self, drops=0):
        self.drops = drops
        self.received = []
        self.accepted = asyncio.Queue()

    async def serve(self, reader, writer):
        try:
            await self._serve(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    async def _serve(self, reader, writer):
        number = len(self.received)
        self.received.append(b"")
        if number < self.drops:
            writer.close()
            await writer.wait_closed()
            self.accepted.put_nowait(number)
            return
        self.accepted.put_nowait(number)
        while not self.received[number].endswith(b"0\r\n\r\n"):
            if not (data := await reader.read(65536)):
                return
            self.received[number] += data
        writer.write(ACCEPTED)


@asynccontextmanager
async def outlet_to(service):
    lines = []
    async with await asyncio.start_server(service.serve, "127.0.0.1", 0) as server:
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        invocation = Invocation("id", deadline_ms=0, body=b"")
        yield StreamOutlet(RuntimeApi(address), invocation, Log(lines.append)), lines


async def test_the_service_accepts_before_there_is_anything_to_send():
    service = Service()
    async with outlet_to(service) as (outlet, lines):
        await outlet.prepare()
        await service.accepted.get()
        assert service.received == [b""]
        assert not outlet.began
        await outlet.write([b"all"], last=True)
        await outlet.finish(None, patience=30)
    assert len(service.received) == 1
    assert service.received[0].endswith(b"\r\n\r\n3\r\nall\r\n0\r\n\r\n")
    assert lines == []


async def test_a_connection_that_was_dropped_meanwhile_is_replaced():
    service = Service(drops=1)
    async with outlet_to(service) as (outlet, lines):
        await outlet.prepare()
        await service.accepted.get()
        await outlet.write([b"all"], last=True)
        await outlet.finish(None, patience=30)
    assert [data.endswith(b"3\r\nall\r\n0\r\n\r\n") for data in service.received] == [False, True]
    assert lines == []


async def test_a_connection_that_nothing_was_sent_on_is_closed():
    service = Service()
    async with outlet_to(service) as (outlet, lines):
        await outlet.prepare()
        await service.accepted.get()
        await outlet.finish(None, patience=30)
    assert service.received == [b""]
    assert lines == []


async def test_without_preparation_it_connects_for_the_first_piece():
    service = Service()
    async with outlet_to(service) as (outlet, lines):
        await outlet.write([b"all"], last=True)
        await outlet.finish(None, patience=30)
    assert len(service.received) == 1
    assert lines == []
