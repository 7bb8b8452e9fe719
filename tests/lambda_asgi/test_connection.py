import asyncio
import contextlib
import socket

import pytest

from lambda_asgi.connection import Connection

pytestmark = pytest.mark.anyio

# More than the buffers of both ends of a loopback connection hold.
MUCH = bytes(range(256)) * 64 * 1024


@contextlib.asynccontextmanager
async def connected(host="127.0.0.1"):
    """A connection and the other end of it, a socket that nothing is read from unless the test does."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        connection = await Connection.open(host, listener.getsockname()[1])
        other, _ = await loop.sock_accept(listener)
    with other:
        other.setblocking(False)
        try:
            yield connection, other
        finally:
            connection.close()


async def read(other, size):
    loop, data = asyncio.get_running_loop(), bytearray()
    while len(data) < size and (piece := await loop.sock_recv(other, 1 << 20)):
        data += piece
    return bytes(data)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_is_sent_arrives_and_the_answer_too(host):
    async with connected(host) as (connection, other):
        await connection.send(b"ques")
        await connection.send(b"tion")
        assert await read(other, 8) == b"question"
        assert connection.received() is None

        other.send(b"answer")
        assert await connection.receive() == b"answer"
        other.shutdown(socket.SHUT_WR)
        assert await connection.receive() == b""
        assert connection.received() == b""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_where_nobody_listens_there_is_no_connection(host):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            await Connection.open(host, bound.getsockname()[1])


async def test_a_sender_waits_for_a_slow_reader():
    async with connected() as (connection, other):
        sending = asyncio.create_task(connection.send(MUCH))
        done, _ = await asyncio.wait({sending}, timeout=0.05)
        assert not done

        assert await read(other, len(MUCH)) == MUCH
        await sending


async def test_what_a_cancelled_send_left_goes_out_with_the_next():
    async with connected() as (connection, other):
        sending = asyncio.create_task(connection.send(MUCH))
        await asyncio.wait({sending}, timeout=0.05)
        sending.cancel()
        await asyncio.wait({sending})

        rest = asyncio.create_task(connection.send(b"end"))
        assert await read(other, len(MUCH) + 3) == MUCH + b"end"
        await rest


async def test_who_waits_to_send_learns_that_the_connection_was_closed():
    async with connected() as (connection, _):
        sending = asyncio.create_task(connection.send(MUCH))
        await asyncio.wait({sending}, timeout=0.05)
        connection.close()
        connection.close()

        with pytest.raises(OSError, match="descriptor"):
            await sending


async def test_a_connection_that_the_other_side_dropped_is_an_error():
    async with connected() as (connection, other):
        await connection.send(b"never read")
        other.close()

        with pytest.raises(ConnectionResetError):
            await connection.receive()
        with pytest.raises(BrokenPipeError):
            await connection.send(b"more")
