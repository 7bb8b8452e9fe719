import asyncio

import pytest

from bench.http_client import Connection

pytestmark = pytest.mark.anyio

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Test:  a \r\n\r\nhello"
CHUNKED = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"


async def exchange(*answers: bytes):
    """Send a request for each answer to a server that gives them in turn; return the requests and the replies."""
    requests: list[bytes] = []

    async def serve(reader, writer):
        for answer in answers:
            requests.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2))
            writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        connection = await Connection.open(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        try:
            replies = [await connection.post("/mcp", {"accept": "*/*"}, b"{}") for _ in answers]
        finally:
            await connection.close()
    return requests, replies


async def test_one_connection_takes_one_request_after_the_other():
    requests, (plain, chunked) = await exchange(PLAIN, CHUNKED)

    assert (plain.status, plain.headers["x-test"], plain.body) == (200, "a", b"hello")
    assert (chunked.status, chunked.body) == (404, b"hello")
    assert requests[0] == requests[1]
    assert requests[0].startswith(b"POST /mcp HTTP/1.1\r\n")
    assert requests[0].endswith(b"content-length: 2\r\naccept: */*\r\n\r\n{}")


async def test_an_answer_that_breaks_off_is_an_error():
    with pytest.raises(EOFError):
        await exchange(PLAIN[:-1])


async def test_a_stream_yields_each_piece_as_it_comes():
    read = asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await read.wait()
        writer.write(b"6\r\nsecond\r\n0\r\n\r\n")
        writer.close()

    pieces = []
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        connection = await Connection.open(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async for piece in connection.stream("/mcp", {}, b""):
            pieces.append(piece)
            read.set()
        await connection.close()
    assert pieces == [b"first", b"second"]
