"""Outbound HTTP against real servers that misbehave."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from mcp_app.clients.errors import (
    BrokenError,
    BrokenOffError,
    DeniedError,
    NotFoundError,
    OddAnswerError,
    RateLimitedError,
    RejectedKeyError,
    SlowError,
    UnreachableError,
    UpstreamError,
)
from mcp_app.clients.http import MAX_ANSWER_BYTES, Call, Http
from mcp_app.deadline import Deadline
from tests.support import faults
from tests.support.calls import UNREACHABLE
from tests.support.faults import Fault, Faults
from tests.support.gate import PATIENCE
from tests.support.serve import serving

pytestmark = pytest.mark.anyio


def still() -> float:
    """Least jitter."""
    return 0.0


@asynccontextmanager
async def http(wall_clock: Callable[[], float] = time.time) -> AsyncIterator[Http]:
    made = Http("probe/1", wall_clock, still)
    try:
        yield made
    finally:
        await made.aclose()


class Upstream:
    """A JSON service whose faults can be set; it records requests and the connections they came by."""

    def __init__(self, *queue: Fault) -> None:
        self.faults = Faults()
        self.faults.queue.extend(queue)
        self.requests: list[Request] = []

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._respond, methods=["GET", "POST"])])

    @property
    def connections(self) -> int:
        return len({request.client for request in self.requests})

    async def _respond(self, request: Request) -> Response:
        self.requests.append(request)
        fault = self.faults.next(request)
        return await fault(request) if fault else JSONResponse({"ok": True})


async def ask(made: Http, url: str, seconds: float = 25, limit: float | None = None) -> object:
    return await made.json(Call(service="Probe", url=f"{url}/data", seconds=limit), Deadline.after(seconds))


async def test_an_answer_is_decoded_and_the_connection_used_again() -> None:
    upstream = Upstream()
    async with serving(upstream.app) as url, http() as made:
        assert [await ask(made, url) for _ in range(3)] == [{"ok": True}] * 3
    assert upstream.connections == 1
    assert upstream.requests[0].headers["user-agent"] == "probe/1"


@pytest.mark.parametrize(
    ("fault", "error", "asked"),
    [
        (faults.status(401, "<html>"), RejectedKeyError, 1),
        (faults.status(403, "<html>"), DeniedError, 1),
        (faults.status(404, "<html>"), NotFoundError, 1),
        (faults.status(408), SlowError, 1),
        (faults.status(302, location="http://127.0.0.1:9/"), OddAnswerError, 1),
        (faults.status(418), OddAnswerError, 1),
        (faults.status(429), RateLimitedError, 1),
        (faults.status(429, retry_after="30"), RateLimitedError, 1),
        (faults.status(500, "<html>stack trace</html>"), BrokenError, 3),
        (faults.status(503), BrokenError, 3),
        (faults.body('{"ok": tr'), OddAnswerError, 1),
        (faults.body("<html>", "text/html"), OddAnswerError, 1),
        (faults.body("[" * 200_000), OddAnswerError, 1),
        (faults.body(b"\xff\xfe\xff"), OddAnswerError, 1),
        (faults.body(b" " * (MAX_ANSWER_BYTES + 1)), OddAnswerError, 1),
        (faults.broken_off(b'{"ok": '), BrokenOffError, 1),
    ],
)
async def test_each_fault_has_its_error(fault: Fault, error: type[UpstreamError], asked: int) -> None:
    upstream = Upstream()
    upstream.faults.always = fault
    async with serving(upstream.app) as url, http() as made:
        with pytest.raises(error) as raised:
            await ask(made, url)
    assert type(raised.value) is error
    assert "Probe" in str(raised.value)
    assert "html" not in str(raised.value)
    assert len(upstream.requests) == asked


async def test_a_passing_fault_is_not_noticed() -> None:
    upstream = Upstream(faults.status(502, "<html>"), faults.status(500))
    async with serving(upstream.app) as url, http() as made:
        assert await ask(made, url) == {"ok": True}
    assert len(upstream.requests) == 3


async def test_no_cookie_of_one_callers_answer_goes_out_with_the_next_call() -> None:
    upstream = Upstream(faults.status(200, "{}", set_cookie="session=of-ann; Path=/"))
    async with serving(upstream.app) as url, http() as made:
        await ask(made, url)
        await ask(made, url)
    assert len(upstream.requests) == 2
    assert "cookie" not in upstream.requests[1].headers


async def test_an_invited_retry_is_made() -> None:
    upstream = Upstream(faults.status(429, retry_after="0"))
    async with serving(upstream.app) as url, http() as made:
        assert await ask(made, url) == {"ok": True}


async def test_how_long_to_wait_is_told() -> None:
    upstream = Upstream(faults.status(429, retry_after="30"))
    async with serving(upstream.app) as url, http() as made:
        with pytest.raises(RateLimitedError, match="in 30 seconds") as raised:
            await ask(made, url)
    assert raised.value.retry_after == 30


async def test_nothing_listens() -> None:
    async with http() as made:
        with pytest.raises(UnreachableError):
            await ask(made, UNREACHABLE)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://[", "no-scheme"])
async def test_an_address_that_cannot_be_used(url: str) -> None:
    async with http() as made:
        with pytest.raises(UnreachableError):
            await ask(made, url)


async def test_a_slow_answer_ends_with_the_deadline() -> None:
    upstream = Upstream(faults.slow(30))
    async with serving(upstream.app) as url, http() as made:
        with pytest.raises(SlowError):
            await ask(made, url, seconds=0.4)


async def test_an_answer_that_dribbles_ends_with_the_deadline() -> None:
    async def blanks() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    async def dribble(request: Request) -> Response:
        return StreamingResponse(blanks(), media_type="application/json")

    async with serving(Upstream(dribble).app) as url, http() as made, asyncio.timeout(PATIENCE):
        with pytest.raises(SlowError):
            await ask(made, url, seconds=0.4)


async def test_a_call_may_have_a_limit_of_its_own() -> None:
    upstream = Upstream(faults.slow(30))
    async with serving(upstream.app) as url, http() as made:
        with pytest.raises(SlowError):
            await ask(made, url, seconds=300, limit=0.2)


async def test_no_request_is_sent_after_the_deadline() -> None:
    upstream = Upstream()
    async with serving(upstream.app) as url, http() as made:
        with pytest.raises(SlowError):
            await ask(made, url, seconds=0)
    assert not upstream.requests


async def test_connections_from_before_a_freeze_are_not_used() -> None:
    upstream, now = Upstream(), [1000.0]
    async with serving(upstream.app) as url, http(lambda: now[0]) as made:
        await ask(made, url)
        now[0] += 1
        await ask(made, url)
        assert upstream.connections == 1
        now[0] += 600
        await ask(made, url)
    assert upstream.connections == 2


async def test_connections_in_use_survive_a_long_pause() -> None:
    arrived, released, now = threading.Event(), threading.Event(), [1000.0]

    async def hold(request: Request) -> Response:
        arrived.set()
        await asyncio.to_thread(released.wait, PATIENCE)
        return JSONResponse("held")

    upstream, answers = Upstream(hold), list[object]()
    async with serving(upstream.app) as url, http(lambda: now[0]) as made:

        async def first() -> None:
            answers.append(await ask(made, url))

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await asyncio.to_thread(arrived.wait, PATIENCE)
            now[0] += 600
            answers.append(await ask(made, url))
            released.set()
    assert answers == [{"ok": True}, "held"]


async def test_a_kept_connection_that_the_server_drops_is_replaced() -> None:
    """The server closes without an answer when it sees a second request on a connection, as a middlebox does."""
    connections: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\ntrue")
        await writer.drain()
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server, http() as made:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert [await ask(made, url) for _ in range(3)] == [True] * 3
    assert len(connections) == 3


async def test_a_server_that_always_drops_is_asked_three_times() -> None:
    connections: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server, http() as made:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(BrokenOffError):
            await ask(made, url)
    assert len(connections) == 3


async def test_no_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    upstream = Upstream(faults.status(500))
    async with serving(upstream.app) as url, http() as made:
        call = Call(service="Probe", url=f"{url}/data", params={"appid": "hush"}, headers={"x-key": "hush"})
        await made.json(call, Deadline.after(10))
    assert "Probe answered 500" in caplog.text
    assert "hush" not in caplog.text
    assert "hush" not in repr(call)
