"""What becomes of an app that is still busy when its time is up."""

import json
import time

import pytest

from lambda_asgi.invocation import Deadlines

from .conftest import hosted
from .events import function_url


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
async def test_an_endless_stream_ends_cleanly_before_the_deadline(running):
    api, box = running
    await api.idle()
    begun = time.monotonic()
    sent = await api.call(function_url("/never_ends"), lasting=1)
    assert time.monotonic() - begun < 1
    assert (sent.payload, sent.trailers, sent.truncated) == (b"tick", {}, False)
    assert box.log[0]["level"] == "WARN"
    assert (await api.call(function_url("/small"))).payload == b"ok"


@pytest.mark.anyio
async def test_nothing_begun_is_a_504(running):
    api, _ = running
    sent = await api.call(function_url("/never_begins"), lasting=1)
    assert (sent.prelude["statusCode"], sent.payload) == (504, b"Gateway Timeout")
    assert (await api.call(function_url("/small"))).payload == b"ok"


@pytest.mark.anyio
async def test_an_app_that_listens_may_say_goodbye(running):
    api, box = running
    sent = await api.call(function_url("/polite"), lasting=1)
    assert sent.payload == b"hello goodbye"
    assert bytes(box.output).decode().split() == ["http.disconnect"]


@pytest.mark.anyio
async def test_an_app_that_ignores_its_cancellation_is_given_up(running):
    api, box = running
    sent = await api.call(function_url("/ignores_cancel"), lasting=1)
    assert (sent.payload, sent.truncated) == (b"tick", False)
    assert (await api.call(function_url("/small"))).payload == b"ok"
    assert bytes(box.output).decode().split() == ["cancelled"]
    assert "did not end" in box.log[-1]["errorMessage"]


@pytest.mark.anyio
async def test_an_app_that_was_given_up_cannot_send_any_more(running):
    api, box = running
    sent = await api.call(function_url("/sends_too_late"), lasting=1)
    assert sent.payload == b"tick"
    await box.says(b"refused: The response was ended")
    assert (await api.call(function_url("/small"))).payload == b"ok"


@pytest.mark.anyio
async def test_what_an_app_raises_while_stopping_is_logged(running):
    api, box = running
    sent = await api.call(function_url("/fails_when_stopped"), lasting=1)
    assert sent.prelude["statusCode"] == 504
    assert box.log[-1]["errorMessage"] == "while stopping"


@pytest.mark.anyio
async def test_background_work_ends_with_the_deadline_too(running):
    api, _ = running
    await api.idle()
    begun = time.monotonic()
    assert (await api.call(function_url("/slow_background"), lasting=1)).payload == b"all"
    assert (await api.call(function_url("/small"))).payload == b"ok"
    assert 0.4 < time.monotonic() - begun < 1


@pytest.mark.anyio
async def test_a_stalled_reader_does_not_hold_the_sandbox_beyond_the_deadline(running):
    api, _ = running
    await api.idle()
    api.read_delay = lambda size: 1.5 if 100_000 < size <= 100_000 + 65536 else 0.0
    stalled = api.invoke(function_url("/blocked_send"), lasting=1)
    begun = time.monotonic()
    sent = await stalled.answered.get()
    assert (await api.call(function_url("/small"))).payload == b"ok"
    assert time.monotonic() - begun < 1.2
    await sent.complete.wait()
    # The system delivers what it has taken: perhaps the end too, but never with a gap before it.
    assert 100_000 < len(sent.payload) < 10_000 * 65536
    assert sent.truncated or len(sent.payload) % 65536 == 0


@pytest.mark.anyio
async def test_a_deadline_that_passed_already_is_a_504(running):
    api, _ = running
    sent = await api.call(function_url("/never_begins"), lasting=-1)
    assert sent.prelude["statusCode"] == 504
    assert (await api.call(function_url("/small"))).payload == b"ok"


@pytest.mark.anyio
@pytest.mark.parametrize(("header", "seconds"), [({}, 900), ({"Lambda-Runtime-Deadline-Ms": "600000"}, 600)])
async def test_emulators_may_send_no_deadline_or_a_duration(running, header, seconds):
    api, _ = running
    seen = json.loads((await api.call(function_url("/echo"), lasting=None, headers=header)).payload)
    assert seen["context"]["remaining_ms"] / 1000 == pytest.approx(seconds, abs=5)


@pytest.mark.anyio
async def test_the_margin_is_a_setting():
    async with hosted(LAMBDA_ASGI_DEADLINE_MARGIN_MS="1500") as (api, _):
        await api.idle()
        begun = time.monotonic()
        await api.call(function_url("/never_ends"), lasting=2)
        assert 0.4 < time.monotonic() - begun < 1.5
