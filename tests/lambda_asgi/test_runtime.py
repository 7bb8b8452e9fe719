"""The life of a sandbox: start, invocations, refusals, concurrency, end."""

import asyncio
import json
import signal

import pytest

from tests.support.gate import PATIENCE, gate
from tests.support.runtime_api import runtime_api
from tests.support.sandbox import sandbox

from .conftest import APPS, hosted
from .events import function_url

pytestmark = pytest.mark.anyio


async def test_one_lifespan_serves_all_invocations(running):
    api, _ = running
    bodies = [json.loads((await api.call(function_url("/echo"))).payload) for _ in range(3)]
    assert [seen["state"]["startups"] for seen in bodies] == [1, 1, 1]


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        (f"{APPS}.failing_lifespan", "Runtime.StartupError", "no database"),
        (f"{APPS}.raising_lifespan", "Runtime.RuntimeError", "no database"),
        (f"{APPS}.not_callable", "Runtime.HandlerNotFound", "'not_callable'"),
        (f"{APPS}.missing", "Runtime.HandlerNotFound", "'missing'"),
        ("nodot", "Runtime.HandlerNotFound", "module.attribute"),
        ("tests.lambda_asgi.broken_import.app", "Runtime.ImportModuleError", "no_such_module"),
        ("no_such_module.app", "Runtime.ImportModuleError", "no_such_module"),
        ("tests.lambda_asgi.broken_exit.app", "Runtime.SystemExit", "3"),
    ],
)
async def test_a_failed_start_is_reported_and_ends_the_process(handler, error_type, message):
    async with runtime_api() as api, sandbox(handler, api.address) as box:
        report = await api.seen("/init/error")
        assert await box.exit_code() == 1
        assert report.method == "POST"
        assert report.headers["lambda-runtime-function-error-type"] == error_type
        assert set(report.document) == {"errorMessage", "errorType", "stackTrace"}
        assert message in report.document["errorMessage"]
        assert message in box.log[0]["errorMessage"]
        assert api.requests("/invocation/next") == []


async def test_a_handler_may_be_named_with_slashes():
    async with runtime_api() as api, sandbox("tests/lambda_asgi/apps.no_lifespan", api.address):
        assert (await api.call(function_url())).payload == b"ok"


@pytest.mark.parametrize("app", ["no_lifespan", "wrapped", "failing_shutdown"])
async def test_apps_with_and_without_a_lifespan_are_served(app):
    async with hosted(app) as (api, box):
        assert (await api.call(function_url("/small"))).payload == b"ok"
        await api.idle()
        box.process.terminate()
        assert await box.exit_code() == 0


async def test_a_failing_shutdown_is_logged():
    async with hosted("failing_shutdown") as (api, box):
        await api.idle()
        box.process.terminate()
        assert await box.exit_code() == 0
        assert box.log[-1]["errorMessage"] == "could not flush"


async def test_sigterm_runs_the_shutdown_of_the_lifespan(running):
    api, box = running
    await api.seen("/extension/event/next")
    await api.idle()
    box.process.send_signal(signal.SIGTERM)
    assert await box.exit_code() == 0
    assert bytes(box.output).decode() == "lifespan: shutdown\n"


async def test_sigterm_during_a_response_ends_it_cleanly(running):
    api, box = running
    invocation = api.invoke(function_url("/never_ends"))
    sent = await invocation.answered.get()
    await api.until(lambda: sent.payload == b"tick")
    box.process.terminate()
    await asyncio.wait_for(sent.complete.wait(), PATIENCE)
    assert (sent.payload, sent.truncated) == (b"tick", False)
    assert await box.exit_code() == 0
    assert bytes(box.output).decode() == "lifespan: shutdown\n"


async def test_an_internal_extension_for_no_events_waits_for_one(running):
    api, _ = running
    await api.idle()
    registered = await api.seen("/extension/register")
    assert registered.document == {"events": []}
    assert registered.headers["lambda-extension-name"]
    (waiting,) = api.requests("/extension/event/next")
    assert waiting.headers["lambda-extension-identifier"] == "extension-1"
    assert api.arrivals.index(registered) < api.arrivals.index(api.requests("/invocation/next")[0])
    await api.call(function_url("/small"))
    assert api.requests("/extension/event/next") == [waiting]


async def test_a_service_without_extensions_is_fine():
    async with runtime_api(extension=False) as api, sandbox(f"{APPS}.routes", api.address):
        assert (await api.call(function_url("/small"))).payload == b"ok"
        assert api.requests("/extension/event/next") == []


@pytest.mark.parametrize("script", [["204", "204"], ["drop"], ["drop", "204", "drop"]])
async def test_next_is_asked_again_after_nothing_or_a_closed_connection(script):
    async with runtime_api(next_script=list(script)) as api, sandbox(f"{APPS}.routes", api.address):
        assert (await api.call(function_url("/small"))).payload == b"ok"
        assert len(api.requests("/invocation/next")) > len(script)


@pytest.mark.parametrize("status", ["403", "500"])
async def test_a_refusal_ends_the_process(status):
    async with runtime_api(next_script=[status]) as api, sandbox(f"{APPS}.routes", api.address) as box:
        assert await box.exit_code() == 1
        assert status in box.log[-1]["errorMessage"]
        assert b"lifespan: shutdown" in box.output


async def test_a_service_that_is_gone_ends_the_process():
    async with hosted() as (api, box):
        await api.idle()
        api.next_script.extend(["drop"] * 20)
        await api.call(function_url("/small"))
        assert await box.exit_code() == 1
        assert "cannot be reached" in box.log[-1]["errorMessage"]


@pytest.mark.parametrize("status", [400, 410, 413])
async def test_a_response_that_was_not_taken_is_not_the_end(running, status):
    api, box = running
    api.response_status = status
    await api.call(function_url("/small"))
    api.response_status = 202
    assert (await api.call(function_url("/small"))).payload == b"ok"
    await box.logs(f"answered {status}".encode())
    assert f"answered {status}" in box.log[0]["message"]


async def test_any_success_will_do(running):
    api, box = running
    api.response_status = 200
    await api.call(function_url("/small"))
    await api.idle()
    assert box.errors == b""


async def test_a_success_that_comes_early_does_not_end_the_response(running):
    api, box = running
    api.early = True
    assert (await api.call(function_url("/five_events"))).payload.count(b"data") == 5
    assert len((await api.call(function_url("/large"))).payload) == 20_000_000
    await api.idle()
    assert box.errors == b""


async def test_a_response_that_was_not_confirmed_is_not_the_end(running):
    api, box = running
    api.drop_response = True
    await api.call(function_url("/small"))
    api.drop_response = False
    assert (await api.call(function_url("/small"))).payload == b"ok"
    await box.logs(b"did not confirm")
    assert "did not confirm" in box.log[0]["message"]


async def test_a_response_over_the_limit_stops_the_app(running):
    api, box = running
    api.response_status, api.refuse_after = 413, 1_000_000
    await api.call(function_url("/endless_bytes"))
    api.response_status, api.refuse_after = 202, None
    assert (await api.call(function_url("/small"))).payload == b"ok"
    await box.says(b"stopped: ResponseClosedError")
    assert not [line for line in box.log if line["level"] == "ERROR"]


@pytest.mark.parametrize(("prefix", "form"), [("", "http://{}"), ("/.rt", "http://{}"), ("/.rt", "{}")])
async def test_the_address_may_have_a_scheme_and_a_path(prefix, form):
    async with runtime_api(prefix=prefix) as api, sandbox(f"{APPS}.routes", form.format(api.address)):
        assert (await api.call(function_url("/small"))).payload == b"ok"


async def test_an_event_may_come_in_chunks():
    async with runtime_api(chunked_next=True) as api, sandbox(f"{APPS}.routes", api.address):
        seen = json.loads((await api.call(function_url("/echo", body="x" * 200_000))).payload)
        assert len(seen["body"]) == 200_000


async def test_six_megabytes_of_request_arrive(running):
    api, _ = running
    seen = json.loads((await api.call(function_url("/echo", "POST", body="x" * 6_000_000))).payload)
    assert len(seen["body"]) == 6_000_000


async def test_several_invocations_run_at_once():
    async with hosted(AWS_LAMBDA_MAX_CONCURRENCY="4") as (api, _):
        sent = await asyncio.gather(*(api.call(function_url("/meet")) for _ in range(4)))
        assert sorted(each.payload.decode() for each in sent) == [f"request-{number}" for number in range(1, 5)]
        assert all(each.path.split("/")[4] == each.payload.decode() for each in sent)
        await api.until(lambda: api.waiting == 4)


async def test_concurrent_invocations_share_no_environment_variable():
    async with hosted(AWS_LAMBDA_MAX_CONCURRENCY="2") as (api, _):
        seen = json.loads((await api.call(function_url("/echo"))).payload)
        assert (seen["trace_id_variable"], seen["trace_id_environment"]) == ("Root=1-0-request-1", None)


async def test_one_invocation_at_a_time_is_the_default(running):
    api, _ = running
    await api.idle()
    async with gate() as at_the_end:
        event = function_url("/background", rawQueryString=f"{at_the_end.port}")
        first, second = api.invoke(event), api.invoke(event)
        assert (await api.whole(first)).payload == b"0"
        await at_the_end.reached()
        assert second.answered.empty()
        await at_the_end.open()
        assert (await api.whole(second)).payload == b"1"
        await at_the_end.open()
    assert api.most_waiting == 1


async def test_the_collector_is_off_during_init_and_frozen_and_on_after_it(running):
    api, _ = running
    assert json.loads((await api.call(function_url("/collector"))).payload) == [True, True, False]


async def test_output_is_not_buffered(running):
    api, box = running
    api.invoke(function_url("/unbuffered"))
    await box.says(b"metric line")
    assert box.process.returncode is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAMBDA_ASGI_RESPONSE_MODE", "fast"),
        ("LAMBDA_ASGI_PAD_EMPTY_BODY", "yes"),
        ("LAMBDA_ASGI_ROOT_PATH", "prod"),
        ("LAMBDA_ASGI_DEADLINE_MARGIN_MS", "-1"),
        ("AWS_LAMBDA_MAX_CONCURRENCY", "0"),
        ("_HANDLER", ""),
    ],
)
async def test_a_setting_that_makes_no_sense_is_named(name, value):
    async with hosted(**{name: value}) as (api, box):
        report = await api.seen("/init/error")
        assert report.headers["lambda-runtime-function-error-type"] == "Runtime.SettingsError"
        assert name in report.document["errorMessage"]
        assert await box.exit_code() == 1
        assert name in box.log[0]["errorMessage"]


async def test_memory_does_not_grow(running):
    """Trace headers of 2 KB: one that is kept for each invocation makes 3 MB."""
    api, box = running
    for number in range(1800):
        if number == 300:
            before = box.memory_kb()
        await api.call(function_url("/small"), headers={"Lambda-Runtime-Trace-Id": f"Root={number:02000}"})
    assert box.memory_kb() - before < 1024
