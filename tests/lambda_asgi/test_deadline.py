"""What becomes of an app that is still busy when its time is up.

Most invocations here last 9000 s, which are skipped: how fast the machine is plays no part.
"""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest

from lambda_asgi.context import Function
from lambda_asgi.failure import Log
from lambda_asgi.http1 import Address
from lambda_asgi.invocation import Deadlines, Server
from lambda_asgi.runtime import work
from lambda_asgi.runtime_api import RuntimeApi
from lambda_asgi.settings import Settings
from tests.support.gate import PATIENCE
from tests.support.runtime_api import runtime_api
from tests.support.skipping_loop import SkippingLoop

from . import apps
from .events import function_url

LASTING = 9000


@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": SkippingLoop}


async def skip(seconds):
    await asyncio.get_running_loop().skip(seconds)


@asynccontextmanager
async def served(app=apps.routes, margin=1000):
    """An app in this process, on the loop's clock; yields the Runtime API and the log's lines."""
    loop, lines = asyncio.get_running_loop(), []

    def now():
        return time.time() + loop.skipped

    async with runtime_api() as api:
        runtime = RuntimeApi(Address.parse(api.address), now)
        # With room for two, the process's environment is left alone.
        settings = Settings("", max_concurrency=2, deadline_margin_ms=margin * 1000)
        log = Log(lambda line: lines.append(json.loads(line)), now)
        working = asyncio.create_task(work(Server(app, runtime, settings, Function(), log, {}, now)))
        try:
            yield api, lines
        finally:
            working.cancel()
            await asyncio.wait({working})


async def begun(api, event, payload=b"tick"):
    """An invocation whose response has begun with this payload."""
    sent = await asyncio.wait_for(api.invoke(event, lasting=LASTING).answered.get(), PATIENCE)
    await api.until(lambda: sent.payload == payload)
    return sent


async def whole(sent):
    await asyncio.wait_for(sent.complete.wait(), PATIENCE)
    return sent


async def serves_on(api):
    """Whether the next request is answered; without a deadline of the service's it has 900 s on the loop's clock."""
    return (await api.call(function_url("/small"), lasting=None)).payload == b"ok"


@pytest.mark.parametrize(
    ("remaining", "margin", "disconnect", "finish"),
    [
        (10.0, 0.5, 9.5, 9.95),
        (0.5, 0.5, 0.25, 0.475),
        (0.0, 0.5, 0.0, 0.0),
        (-3.0, 0.5, 0.0, 0.0),
        (10.0, 0.0, 10.0, 10.0),
    ],
)
def test_the_margin_is_shared_out(remaining, margin, disconnect, finish):
    deadlines = Deadlines.within(100.0, remaining, margin)
    assert deadlines.disconnect == pytest.approx(100 + disconnect)
    assert deadlines.finish == pytest.approx(100 + finish)
    assert deadlines.disconnect <= deadlines.cancel <= deadlines.abandon <= deadlines.finish


@pytest.mark.anyio
@pytest.mark.parametrize(("margin", "told", "cancelled"), [(1000, 8000, 8300), (2000, 7000, 7600)])
async def test_an_app_is_told_and_then_cancelled(margin, told, cancelled):
    happened = []

    async def app(scope, receive, send):
        await receive()
        await send(apps.start())
        await send(apps.body(b"tick", more=True))
        happened.append("begun")
        happened.append((await receive())["type"])
        try:
            await asyncio.Event().wait()
        finally:
            happened.append("cancelled")

    async with served(app, margin) as (api, lines):
        sent = await begun(api, function_url())
        await skip(told - 100)
        assert happened == ["begun"]
        await skip(200)
        assert happened == ["begun", "http.disconnect"]
        await skip(cancelled - told - 200)
        assert happened == ["begun", "http.disconnect"]
        await skip(200)
        assert happened == ["begun", "http.disconnect", "cancelled"]
        await whole(sent)
    assert (sent.payload, sent.trailers, sent.truncated) == (b"tick", {}, False)
    assert [line["level"] for line in lines] == ["WARN"]


@pytest.mark.anyio
async def test_an_endless_stream_ends_cleanly_before_the_deadline():
    async with served() as (api, lines):
        sent = await begun(api, function_url("/never_ends"))
        await skip(8400)
        await whole(sent)
        assert (sent.payload, sent.trailers, sent.truncated) == (b"tick", {}, False)
        assert [line["level"] for line in lines] == ["WARN"]
        assert await serves_on(api)


@pytest.mark.anyio
async def test_an_app_that_listens_may_say_goodbye(capsys):
    async with served() as (api, _):
        sent = await begun(api, function_url("/polite"), b"hello ")
        await skip(8100)
        assert (await whole(sent)).payload == b"hello goodbye"
    assert capsys.readouterr().out.split() == ["http.disconnect"]


@pytest.mark.anyio
async def test_an_app_that_ignores_its_cancellation_is_given_up():
    happened, over = [], asyncio.Event()

    async def app(scope, receive, send):
        if scope["path"] == "/small":
            await apps.small(scope, receive, send)
            return
        await send(apps.start())
        await send(apps.body(b"tick", more=True))
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                happened.append("cancelled")

    async with served(app) as (api, lines):
        sent = await begun(api, function_url())
        await skip(8100)
        await skip(300)
        assert not sent.complete.is_set()
        await skip(300)
        await whole(sent)
        assert (sent.payload, sent.truncated) == (b"tick", False)
        assert await serves_on(api)
        over.set()
    assert happened == ["cancelled"]
    assert "did not end" in lines[-1]["errorMessage"]


@pytest.mark.anyio
async def test_an_app_that_was_given_up_cannot_send_any_more():
    given_up, refused = asyncio.Event(), asyncio.Queue()

    async def app(scope, receive, send):
        await send(apps.start())
        await send(apps.body(b"tick", more=True))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await given_up.wait()
        try:
            await send(apps.body(b"too late", more=True))
        except OSError as error:
            refused.put_nowait(str(error))

    async with served(app) as (api, _):
        sent = await begun(api, function_url())
        await skip(8100)
        await skip(300)
        await skip(300)
        assert (await whole(sent)).payload == b"tick"
        given_up.set()
        assert "The response was ended" in await asyncio.wait_for(refused.get(), PATIENCE)
        assert sent.payload == b"tick"


@pytest.mark.anyio
async def test_what_an_app_raises_while_stopping_is_logged():
    begun = asyncio.Event()

    async def app(scope, receive, send):
        await receive()
        begun.set()
        await receive()
        raise ValueError("while stopping")

    async with served(app) as (api, lines):
        invocation = api.invoke(function_url(), lasting=LASTING)
        await asyncio.wait_for(begun.wait(), PATIENCE)
        await skip(8100)
        assert (await api.whole(invocation)).prelude["statusCode"] == 504
    assert lines[-1]["errorMessage"] == "while stopping"


@pytest.mark.anyio
async def test_background_work_ends_with_the_deadline_too():
    async with served() as (api, _):
        invocation = api.invoke(function_url("/slow_background"), lasting=LASTING)
        assert (await api.whole(invocation)).payload == b"all"
        await skip(7900)
        assert api.waiting == 0
        await skip(500)
        assert await serves_on(api)


@pytest.mark.anyio
async def test_a_stalled_reader_does_not_hold_the_sandbox_beyond_the_deadline():
    async with served() as (api, _):
        api.stall_after = 100_000
        sent = await asyncio.wait_for(api.invoke(function_url("/much"), lasting=LASTING).answered.get(), PATIENCE)
        await asyncio.wait_for(api.stalled.wait(), PATIENCE)
        await skip(8400)
        assert api.waiting == 0
        await skip(550)
        assert await serves_on(api)
        assert not sent.complete.is_set()
        api.read_on.set()
        await whole(sent)
    # The system delivers what it has taken: perhaps the end too, but never with a gap before it.
    assert 100_000 < len(sent.payload) < 1000 * 65536
    assert sent.truncated or len(sent.payload) % 65536 == 0


@pytest.mark.anyio
@pytest.mark.parametrize("lasting", [1, -1])
async def test_nothing_begun_is_a_504_and_the_sandbox_lives_on(running, lasting):
    api, _ = running
    sent = await api.call(function_url("/never_begins"), lasting=lasting)
    assert (sent.prelude["statusCode"], sent.payload) == (504, b"Gateway Timeout")
    assert (await api.call(function_url("/small"))).payload == b"ok"


@pytest.mark.anyio
@pytest.mark.parametrize(("header", "seconds"), [({}, 900), ({"Lambda-Runtime-Deadline-Ms": "600000"}, 600)])
async def test_emulators_may_send_no_deadline_or_a_duration(running, header, seconds):
    api, _ = running
    before = time.time()
    seen = json.loads((await api.call(function_url("/echo"), lasting=None, headers=header)).payload)
    after = time.time()
    assert before + seconds - 0.001 < seen["context"]["deadline_ms"] / 1000 <= after + seconds
