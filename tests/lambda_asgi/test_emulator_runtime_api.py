"""The Runtime API: what it accepts, what it refuses, and what a client sees of either."""

import json
import time

import pytest

from lambda_asgi.emulator import Limits, RequestTooLargeError

from .emulator_client import call, emulate

pytestmark = pytest.mark.anyio


async def outcome(emulator):
    await emulator.idle()
    return emulator.reports[-1].outcome


async def test_next_tells_what_the_runtime_must_know():
    before = time.time()
    async with emulate(timeout=5) as (emulator, _):
        seen = (await call(emulator, "/event")).json()
    after = time.time()
    headers, event = seen["headers"], seen["event"]
    assert headers["Lambda-Runtime-Aws-Request-Id"] == event["requestContext"]["requestId"]
    assert headers["Lambda-Runtime-Trace-Id"] == event["headers"]["x-amzn-trace-id"]
    assert headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:aws:lambda:us-east-1:123456789012:function:function"
    assert headers["Lambda-Runtime-Invocation-Id"]
    assert before + 4.999 < int(headers["Lambda-Runtime-Deadline-Ms"]) / 1000 <= after + 5


async def test_a_response_is_accepted():
    async with emulate() as (emulator, lines):
        reply = await call(emulator, "/hello")
        assert (reply.status, reply.body, reply.complete) == (200, b"hello", True)
        assert await outcome(emulator) == "ok"
        assert await lines.until("status 202")


async def test_another_spelling_of_the_mode_is_refused_and_the_runtime_gets_no_more():
    async with emulate() as (emulator, lines):
        reply = await call(emulator, "/wrong-mode")
        assert (reply.status, reply.body) == (502, b"Internal Server Error")
        await lines.until("status 400")
        await lines.until("next 403")
        await emulator.idle()
        assert (await call(emulator, "/hello")).status == 200


async def test_declared_error_trailers_cut_the_response():
    async with emulate() as (emulator, lines):
        reply = await call(emulator, "/trailers")
        assert (reply.status, reply.body, reply.complete) == (200, b"some", False)
        assert await outcome(emulator) == "Runtime.Late"
        await lines.until("status 202")


async def test_undeclared_trailers_are_dropped():
    async with emulate() as (emulator, _):
        reply = await call(emulator, "/undeclared")
        assert (reply.body, reply.complete) == (b"some", True)
        assert await outcome(emulator) == "ok"


async def test_a_truncated_response_is_refused_and_cut():
    async with emulate() as (emulator, lines):
        reply = await call(emulator, "/truncated")
        assert (reply.status, reply.body, reply.complete) == (200, b"some", False)
        await lines.until("status 400")
        assert await outcome(emulator) == "Runtime.TruncatedResponse"


async def test_an_unknown_request_id_is_refused_and_does_no_harm():
    async with emulate() as (emulator, lines):
        reply = await call(emulator, "/stale")
        assert (reply.status, reply.body) == (200, b"hello")
        await emulator.idle()
        assert [line for line in lines.output() if line.startswith("status")] == ["status 400", "status 202"]


async def test_an_answer_to_an_earlier_invocation_of_the_same_id_is_gone():
    async with emulate() as (emulator, lines):
        assert (await call(emulator, "/nonce")).body == b"right"
        await emulator.idle()
        assert [line for line in lines.output() if line.startswith("status")] == ["status 410", "status 202"]


async def test_a_second_response_is_refused():
    async with emulate() as (emulator, lines):
        assert (await call(emulator, "/twice")).body == b"first"
        await lines.until("status 403")
        assert await outcome(emulator) == "ok"


async def test_an_error_after_the_response_has_begun_is_refused():
    async with emulate() as (emulator, lines):
        reply = await call(emulator, "/late-error")
        assert (reply.body, reply.complete) == (b"survived", True)
        await lines.until("POST error 403")


async def test_an_error_is_a_502():
    async with emulate() as (emulator, lines):
        reply = await call(emulator, "/error")
        assert (reply.status, reply.body) == (502, b"Internal Server Error")
        assert await outcome(emulator) == "Function.Oops"
        await lines.until("POST error 202")


async def test_next_while_an_invocation_runs_is_refused():
    async with emulate() as (emulator, lines):
        assert (await call(emulator, "/next-early")).status == 200
        await lines.until("GET next 403")


async def test_restore_exists_with_snapstart_alone():
    async with emulate() as (emulator, lines):
        await call(emulator, "/restore-next")
        await lines.until("GET next 404")


async def test_a_streamed_response_over_the_limit_is_cut():
    async with emulate(limits=Limits(streamed_response=100_000)) as (emulator, lines):
        reply = await call(emulator, "/big?5000000")
        assert (reply.status, reply.complete) == (200, False)
        assert 90_000 < len(reply.body) <= 100_000
        await lines.until("status 413")
        assert await outcome(emulator) == "Function.ResponseSizeTooLarge"
        assert (await call(emulator, "/big?90000")).complete


async def test_a_buffered_response_over_the_limit_is_a_502():
    async with emulate(invoke_mode="BUFFERED", limits=Limits(buffered_response=1000)) as (emulator, lines):
        body = b'"%b"' % (b"x" * 1000)
        reply = await call(emulator, "/buffered", "POST", [("Content-Type", "text/plain")], body)
        assert reply.status == 502
        await lines.until("POST response 413")


@pytest.mark.parametrize("page", ["no-json", "no-separator", "huge-prelude"])
async def test_a_malformed_prelude_is_a_502(page):
    async with emulate() as (emulator, _):
        reply = await call(emulator, f"/{page}")
        assert (reply.status, reply.body, reply.complete) == (502, b"Internal Server Error", True)
        assert (await call(emulator, "/hello")).status == 200


EXTENSION = "/2020-01-01/extension"
NAMED = {"Lambda-Extension-Name": "x"}
INVOKE = '{"events": ["INVOKE"]}'
REFUSALS = [
    (["POST", "/2018-06-01/runtime/init/error", {}, "{}"], 403, "InvalidStateTransition"),
    (["GET", "/2018-06-01/runtime/invocation/next/", {}, None], 403, "InvalidStateTransition"),
    (["GET", "/2018-06-01/nothing", {}, None], 404, "NotFound"),
    (["POST", "/2018-06-01/runtime/invocation/x/error", {}, "{}"], 400, "InvalidRequestID"),
    (["GET", "/2021-04-23/credentials", {}, None], 404, "NotFound"),
    (["POST", f"{EXTENSION}/register", {}, INVOKE], 403, "Extension.InvalidExtensionName"),
    (["POST", f"{EXTENSION}/register", NAMED, "[]"], 403, "InvalidRequestFormat"),
    (["POST", f"{EXTENSION}/register", NAMED, '{"events": ["DANCE"]}'], 403, "Extension.InvalidEventType"),
    (["POST", f"{EXTENSION}/register", NAMED, INVOKE], 403, "Extension.RegistrationClosed"),
    (["GET", f"{EXTENSION}/event/next", {}, None], 403, "Extension.MissingExtensionIdentifier"),
    (
        ["GET", f"{EXTENSION}/event/next", {"Lambda-Extension-Identifier": "x"}, None],
        403,
        "Extension.UnknownExtensionIdentifier",
    ),
    (["GET", f"{EXTENSION}/dance", {}, None], 404, "NotFound"),
]


async def test_requests_that_make_no_sense_are_refused_each_with_its_reason():
    wanted = json.dumps([request for request, _, _ in REFUSALS]).encode()
    async with emulate() as (emulator, _):
        replies = (await call(emulator, "/requests", "POST", [("Content-Type", "text/plain")], wanted)).json()
    told = [(status, json.loads(body)["errorType"]) for status, body in replies]
    assert told == [(status, error_type) for _, status, error_type in REFUSALS]


async def test_a_restored_sandbox_finds_its_credentials():
    path = "/2021-04-23/credentials"
    wanted = json.dumps([["GET", path, {"Authorization": token}, None] for token in ("emulator", "wrong")]).encode()
    async with emulate("snapshot", snapstart=True) as (emulator, _):
        right, wrong = (await call(emulator, "/requests", "POST", [("Content-Type", "text/plain")], wanted)).json()
    assert right[0] == 200
    assert json.loads(right[1])["AccessKeyId"] == "ASIAEMULATOR"
    assert wrong[0] == 404


async def test_a_direct_invocation_over_the_limit_is_refused():
    async with emulate(limits=Limits(request=100)) as (emulator, _):
        with pytest.raises(RequestTooLargeError):
            await emulator.invoke({"x": "y" * 100})


async def test_a_direct_invocation_gets_the_payload_as_it_is():
    async with emulate() as (emulator, _):
        result = await emulator.invoke({"body": '{"answer": 42}'})
        assert (result.payload, result.error) == (b'{"answer": 42}', None)
        failed = await emulator.invoke({"rawPath": "/error"})
        assert failed.error is not None
        assert (failed.error.type, failed.payload) == ("Function.Oops", b'{"errorMessage":"oops","errorType":"Oops"}')
