"""What goes out on the wire for one invocation."""

import asyncio
import base64
import json
import time

import pytest

from tests.support.gate import PATIENCE, gate

from .conftest import hosted
from .events import function_url, http_api, load_balancer, rest_api

pytestmark = pytest.mark.anyio


async def test_a_streamed_response_is_what_the_protocol_asks_for(running):
    api, _ = running
    sent = await api.call(function_url("/small"), headers={"Lambda-Runtime-Invocation-Id": "i-1"})
    assert sent.method == "POST"
    assert sent.path == "/2018-06-01/runtime/invocation/request-1/response"
    expected = {
        "lambda-runtime-function-response-mode": "streaming",
        "content-type": "application/vnd.awslambda.http-integration-response",
        "transfer-encoding": "chunked",
        "trailer": "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        "lambda-runtime-invocation-id": "i-1",
        "connection": "close",
    }
    assert expected.items() <= sent.headers.items()
    assert sent.chunks == [
        b'{"statusCode":200,"headers":{"content-type":"text/plain"},"cookies":[]}',
        bytes(8),
        b"ok",
    ]
    assert sent.trailers == {}


async def test_no_invocation_id_is_made_up(running):
    api, _ = running
    assert "lambda-runtime-invocation-id" not in (await api.call(function_url("/small"))).headers


async def test_each_response_has_a_connection_of_its_own_and_next_keeps_one(running):
    api, _ = running
    responses = [await api.call(function_url("/small")) for _ in range(3)]
    await api.idle()
    assert len({response.connection for response in responses}) == 3
    assert len({arrival.connection for arrival in api.requests("/next") if "invocation" in arrival.path}) == 1


async def test_the_app_sees_the_whole_request_and_its_invocation(running):
    api, _ = running
    event = function_url(
        "/echo/a%252Fb", "POST", rawQueryString="x=1&x=2", cookies=["a=1", "b=2"], body="aGk=", isBase64Encoded=True
    )
    client_context = {"Lambda-Runtime-Client-Context": '{"custom":{"k":"v"}}', "Lambda-Runtime-Aws-Tenant-Id": "t-1"}
    before = time.time()
    seen = json.loads((await api.call(event, lasting=100, headers=client_context)).payload)
    after = time.time()
    assert (seen["method"], seen["path"], seen["raw_path"]) == ("POST", "/echo/a%2Fb", "/echo/a%252Fb")
    assert (seen["query"], seen["body"], seen["more_body"]) == ("x=1&x=2", "hi", False)
    assert ["cookie", "a=1; b=2"] in seen["headers"]
    assert (seen["client"], seen["scheme"], seen["http_version"]) == (["203.0.113.7", 0], "https", "1.1")
    assert seen["event"] == event
    context = seen["context"]
    assert context["aws_request_id"] == seen["request_id_variable"] == "request-1"
    assert context["invoked_function_arn"] == "arn:aws:lambda:eu-west-1:123456789012:function:f"
    assert before + 99.99 < context["deadline_ms"] / 1000 <= after + 100
    assert seen["deadline_ms"] == context["deadline_ms"] - 500
    assert 0 < context["remaining_ms"] <= 100_000
    assert (context["function_name"], context["function_version"], context["memory_limit_in_mb"]) == (
        "f",
        "$LATEST",
        1024,
    )
    assert (context["log_group_name"], context["log_stream_name"]) == ("/aws/lambda/f", "stream")
    assert (context["client_context"], context["identity"], context["tenant_id"]) == (
        {"custom": {"k": "v"}},
        None,
        "t-1",
    )
    assert seen["trace_id_variable"] == seen["trace_id_environment"] == "Root=1-0-request-1"


async def test_lifespan_state_is_copied_for_each_request(running):
    api, _ = running
    states = [json.loads((await api.call(function_url("/echo"))).payload)["state"] for _ in range(2)]
    assert states == [{"startups": 1}, {"startups": 1}]


async def test_pieces_leave_as_they_are_sent(running):
    api, _ = running
    async with gate() as between:
        invocation = api.invoke(function_url("/events", rawQueryString=f"{between.port}"))
        sent = await asyncio.wait_for(invocation.answered.get(), PATIENCE)
        for number in range(5):
            event = b"data: %d\n\n" % number
            await api.until(lambda event=event: event in sent.chunks)
            assert len(sent.chunks) == 3 + number
            await between.open()
        await asyncio.wait_for(sent.complete.wait(), PATIENCE)


async def test_twenty_megabytes_arrive_whole(running):
    api, _ = running
    sent = await api.call(function_url("/large"))
    assert sent.payload == b"a" * 10_000_000 + b"b" * 10_000_000
    assert max(len(chunk) for chunk in sent.chunks) == 65536


async def test_a_slow_reader_slows_the_app_down():
    async with hosted(AWS_LAMBDA_MAX_CONCURRENCY="2") as (api, _):
        api.stall_after = 500_000
        much = api.invoke(function_url("/much"))
        await asyncio.wait_for(api.stalled.wait(), PATIENCE)
        taken = [-1, int((await api.call(function_url("/taken"))).payload)]
        while taken[-1] != taken[-2]:
            taken.append(int((await api.call(function_url("/taken"))).payload))
        # The kernel's and the runtime's buffers hold a few megabytes.
        assert taken[-1] < 16_000_000
        api.read_on.set()
        assert len((await api.whole(much)).payload) == 65_536_000


async def test_an_early_failure_is_a_clean_500(running):
    api, box = running
    sent = await api.call(function_url("/early_raise"))
    assert sent.prelude["statusCode"] == 500
    assert sent.payload == b"Internal Server Error"
    assert sent.trailers == {}
    await box.logs(b"before the first body")
    (line,) = box.log
    assert (line["level"], line["errorType"], line["requestId"]) == ("ERROR", "ValueError", "request-1")
    assert line["errorMessage"] == "before the first body"
    assert any("early_raise" in frame for frame in line["stackTrace"])
    assert (await api.call(function_url("/small"))).payload == b"ok"


async def test_a_late_failure_travels_in_the_trailers(running):
    api, box = running
    sent = await api.call(function_url("/late_raise"))
    assert sent.payload == b"begun"
    assert sent.trailers["lambda-runtime-function-error-type"] == "Function.ValueError"
    error = json.loads(base64.b64decode(sent.trailers["lambda-runtime-function-error-body"]))
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "after the first body")
    assert any("late_raise" in frame for frame in error["stackTrace"])
    await box.logs(b"after the first body")
    assert box.log[0]["requestId"] == "request-1"


async def test_a_failure_after_the_end_is_logged_alone(running):
    api, box = running
    sent = await api.call(function_url("/raise_at_end"))
    assert (sent.prelude["statusCode"], sent.payload, sent.trailers) == (500, b"handled", {})
    await api.idle()
    await box.logs(b"after the last body")
    assert box.log[0]["errorMessage"] == "after the last body"


async def test_an_app_without_a_response_is_a_500(running):
    api, box = running
    assert (await api.call(function_url("/no_response"))).prelude["statusCode"] == 500
    await box.logs(b"errorType")
    assert box.log[0]["errorType"] == "IncompleteResponseError"


async def test_half_a_response_is_marked_as_such(running):
    api, _ = running
    sent = await api.call(function_url("/half_response"))
    assert sent.payload == b"half"
    assert sent.trailers["lambda-runtime-function-error-type"] == "Function.IncompleteResponseError"


async def test_the_head_goes_out_at_once_when_the_first_body_is_open_and_empty(running):
    api, _ = running
    async with gate() as before_the_rest:
        invocation = api.invoke(function_url("/open_empty", rawQueryString=f"{before_the_rest.port}"))
        sent = await asyncio.wait_for(invocation.answered.get(), PATIENCE)
        await api.until(lambda: len(sent.chunks) == 2)
        await before_the_rest.open()
        await asyncio.wait_for(sent.complete.wait(), PATIENCE)
    assert sent.chunks[1:] == [bytes(8), b"late"]


async def test_tasks_that_send_at_once_do_not_mix_their_pieces(running):
    api, _ = running
    sent = await api.call(function_url("/two_senders"))
    assert sent.chunks[1:] == [bytes(8), b"a", b"b"]


async def test_headers_are_cleaned_and_cookies_apart(running):
    api, _ = running
    assert (await api.call(function_url("/cookies"))).prelude == {
        "statusCode": 201,
        "headers": {"vary": "Origin, Accept", "www-authenticate": "Bearer"},
        "cookies": ["a=1; Path=/", "b=2"],
    }


@pytest.mark.parametrize("page", ["injection", "huge_head"])
async def test_a_head_that_must_not_go_out_is_a_500(running, page):
    api, box = running
    sent = await api.call(function_url(f"/{page}"))
    assert (sent.prelude["statusCode"], sent.payload) == (500, b"Internal Server Error")
    assert b"stolen" not in sent.body
    await box.logs(b"errorType")
    assert box.log[0]["errorType"] == "InvalidResponseError"


async def test_an_app_may_mend_a_refused_head(running):
    api, _ = running
    sent = await api.call(function_url("/recovers"))
    assert (sent.prelude["statusCode"], sent.payload) == (400, b"recovered")


@pytest.mark.parametrize(("path", "method"), [("/status/204", "GET"), ("/status/304", "GET"), ("/status/200", "HEAD")])
async def test_no_body_where_http_has_none(running, path, method):
    api, _ = running
    sent = await api.call(function_url(path, method))
    assert sent.chunks[1:] == [bytes(8)]


async def test_an_empty_body_still_has_prelude_and_delimiter(running):
    api, _ = running
    sent = await api.call(function_url("/empty"))
    assert (sent.prelude["statusCode"], sent.chunks[1:]) == (202, [bytes(8)])


async def test_an_empty_body_is_padded_on_request():
    async with hosted(LAMBDA_ASGI_PAD_EMPTY_BODY="1") as (api, _):
        assert (await api.call(function_url("/empty"))).payload == b"\n"
        assert (await api.call(function_url("/status/204"))).payload == b""


async def test_the_response_ends_before_background_work_and_next_comes_after_it(running):
    api, _ = running
    async with gate() as at_the_end:
        event = function_url("/background", rawQueryString=f"{at_the_end.port}")
        assert (await api.call(event)).payload == b"0"
        await at_the_end.reached()
        assert api.waiting == 0
        await at_the_end.open()
        assert (await api.call(event)).payload == b"1"
        await at_the_end.open()


async def test_receive_says_disconnect_once_the_response_is_complete(running):
    api, box = running
    assert (await api.call(function_url("/listens_after"))).payload == b"all"
    await api.idle()
    await box.says(b"http.disconnect\n")
    assert bytes(box.output).decode().split() == ["http.disconnect"]


@pytest.mark.parametrize("event", [http_api("/cookies"), load_balancer("/cookies")])
async def test_a_source_that_cannot_stream_gets_one_document(running, event):
    api, _ = running
    sent = await api.call(event)
    assert "lambda-runtime-function-response-mode" not in sent.headers
    assert sent.headers["content-type"] == "application/json"
    assert (sent.document["statusCode"], sent.document["body"]) == (201, "ok")


async def test_a_rest_api_streams(running):
    api, _ = running
    sent = await api.call(rest_api("/cookies"))
    assert (sent.prelude["cookies"], sent.payload) == (["a=1; Path=/", "b=2"], b"ok")


async def test_buffered_mode_answers_with_one_document():
    async with hosted(LAMBDA_ASGI_RESPONSE_MODE="buffered") as (api, box):
        document = (await api.call(function_url("/binary"))).document
        assert (base64.b64decode(document["body"]), document["isBase64Encoded"]) == (b"\x89PNG\xff\x00", True)
        assert (await api.call(function_url("/cookies"))).document["cookies"] == ["a=1; Path=/", "b=2"]
        assert (await api.call(function_url("/late_raise"))).document["statusCode"] == 500
        assert (await api.call(function_url("/never_ends"), lasting=1)).document["statusCode"] == 504
        assert (await api.call(function_url("/too_large_for_buffer"))).document["statusCode"] == 500
        await box.logs(b"may have 6291456")
        assert "may have 6291456" in box.log[-1]["errorMessage"]
        assert (await api.call(function_url("/small"))).document["body"] == "ok"


@pytest.mark.parametrize("event", [{"source": "aws.events"}, [], None, "warm", {}])
async def test_an_event_that_is_not_http_gets_null(running, event):
    api, _ = running
    sent = await api.call(event)
    assert sent.body == b"null"
    assert sent.path.endswith("/response")


@pytest.mark.parametrize("event", [b"{not json", function_url(body=7)])
async def test_an_event_that_cannot_be_read_is_an_error_and_the_sandbox_lives_on(running, event):
    api, box = running
    sent = await api.call(event, headers={"Lambda-Runtime-Invocation-Id": "i-1"})
    assert sent.path.endswith("/request-1/error")
    assert sent.headers["lambda-runtime-function-error-type"].startswith("Function.")
    assert sent.headers["lambda-runtime-invocation-id"] == "i-1"
    await box.logs(b"errorType")
    assert sent.document["errorType"] == box.log[0]["errorType"]
    assert (await api.call(function_url("/small"))).payload == b"ok"


async def test_the_root_path_is_a_setting():
    async with hosted("echo_only", LAMBDA_ASGI_ROOT_PATH="/prod") as (api, _):
        seen = json.loads((await api.call(rest_api("/x"))).payload)
        assert (seen["path"], seen["root_path"]) == ("/prod/x", "/prod")
