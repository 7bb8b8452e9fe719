"""The function URL: events, heads, limits, and what a client sees of a failure."""

import asyncio
import base64
import json
import time
from dataclasses import replace

import pytest

from lambda_asgi.emulator import Emulator, FunctionConfig, Limits
from lambda_asgi.emulator.throttle import Throttle
from tests.support.gate import gate

from .emulator_client import PATIENT, TOYS, call, connect, emulate

pytestmark = pytest.mark.anyio


async def event_of(target, method="GET", headers=(), body=b""):
    async with emulate() as (emulator, _):
        return (await call(emulator, target, method, headers, body)).json()["event"]


async def test_the_path_stays_encoded_in_one_place_and_is_decoded_once_in_the_other():
    async with emulate() as (emulator, lines):
        await call(emulator, "/a%252Fb%20c?x=%20")
        crash = await lines.until("KeyError")
    assert "a%252Fb%20c" in crash


async def test_an_event_has_the_form_of_payload_2():
    headers = [("X-Twice", "1"), ("X-Twice", "2"), ("Cookie", "a=1; b=2"), ("User-Agent", "test"), ("TE", "trailers")]
    before = time.time()
    event = await event_of("/event?a=1&b=%20x&a=2&flag=", headers=headers)
    after = time.time()
    context = event["requestContext"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == context["routeKey"] == context["stage"] == "$default"
    assert event["rawPath"] == context["http"]["path"] == "/event"
    assert event["rawQueryString"] == "a=1&b=%20x&a=2&flag="
    assert event["queryStringParameters"] == {"a": "1,2", "b": " x", "flag": ""}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["cookie"] == "a=1; b=2"
    assert event["headers"]["x-twice"] == "1,2"
    assert "te" not in event["headers"]
    assert event["headers"]["x-forwarded-for"] == context["http"]["sourceIp"] == "127.0.0.1"
    assert event["headers"]["x-forwarded-proto"] == "http"
    assert event["headers"]["host"] == context["domainName"] == f"127.0.0.1:{event['headers']['x-forwarded-port']}"
    assert event["headers"]["x-amzn-trace-id"].startswith("Root=1-")
    assert (context["http"]["method"], context["http"]["protocol"]) == ("GET", "HTTP/1.1")
    assert (context["http"]["userAgent"], context["accountId"]) == ("test", "anonymous")
    assert before - 0.001 < context["timeEpoch"] / 1000 <= after
    assert time.strptime(context["time"], "%d/%b/%Y:%H:%M:%S +0000")
    assert "body" not in event
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("content_type", "body", "encoded"),
    [
        ("application/json", '{"é": 1}'.encode(), False),
        ("application/vnd.api+json; charset=utf-8", b"{}", False),
        ("text/plain", b"x", False),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("application/octet-stream", b"\x00\xff", True),
        ("text/plain", b"\xff\xfe", True),
        ("", b"x", True),
    ],
)
async def test_bodies_that_are_not_text_are_base64(content_type, body, encoded):
    event = await event_of("/event", "POST", [("Content-Type", content_type)] if content_type else [], body)
    assert event["isBase64Encoded"] is encoded
    assert (base64.b64decode(event["body"]) if encoded else event["body"].encode()) == body
    assert event["headers"]["content-length"] == str(len(body))


async def test_a_chunked_request_is_put_together():
    async with emulate() as (emulator, _), connect(emulator) as client:
        client.writer.write(
            b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        client.writer.write(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        event = (await client.receive()).json()["event"]
    assert event["body"] == "abcde"
    assert event["headers"]["content-length"] == "5"
    assert "transfer-encoding" not in event["headers"]


async def answered(prelude, method="POST"):
    async with emulate() as (emulator, _):
        return await call(
            emulator, "/answer", method, [("Content-Type", "application/json")], json.dumps(prelude).encode()
        )


async def test_status_headers_and_cookies_of_the_prelude_reach_the_client():
    reply = await answered({"statusCode": 418, "headers": {"X-Tea": "pot"}, "cookies": ["a=1; Path=/", "b=2"]})
    assert (reply.status, reply.body) == (418, b"answer")
    assert reply.headers["x-tea"] == ["pot"]
    assert reply.headers["set-cookie"] == ["a=1; Path=/", "b=2"]
    assert reply.headers["x-amzn-requestid"]
    assert reply.headers["x-amzn-trace-id"]


async def test_a_status_of_no_name_reaches_the_client():
    assert (await answered({"statusCode": 599})).status == 599


async def test_reserved_headers_are_renamed_and_the_hops_own_dropped():
    reply = await answered(
        {
            "headers": {
                "WWW-Authenticate": "Bearer",
                "Content-Length": "99",
                "Server": "mine",
                "Connection": "close",
                "Transfer-Encoding": "gzip",
            }
        }
    )
    assert reply.headers["x-amzn-remapped-www-authenticate"] == ["Bearer"]
    assert reply.headers["x-amzn-remapped-content-length"] == ["99"]
    assert reply.headers["x-amzn-remapped-server"] == ["mine"]
    assert reply.headers["connection"] == ["keep-alive"]
    assert reply.headers["transfer-encoding"] == ["chunked"]
    assert not {"www-authenticate", "content-length", "server"} & set(reply.headers)
    assert (reply.body, reply.complete) == (b"answer", True)


@pytest.mark.parametrize(
    "prelude",
    [
        {"statusCode": "200"},
        {"statusCode": 99},
        {"statusCode": True},
        {"headers": {"x": 1}},
        {"headers": {"bad name": "x"}},
        {"headers": {"x": "a\r\nb: c"}},
        {"headers": []},
        {"cookies": "a=1"},
        [],
    ],
)
async def test_a_prelude_that_http_cannot_carry_is_a_502(prelude):
    reply = await answered(prelude)
    assert (reply.status, reply.body) == (502, b"Internal Server Error")


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body_has_none_and_the_connection_lives(status):
    async with emulate() as (emulator, _), connect(emulator) as client:
        prelude = json.dumps({"statusCode": status}).encode()
        reply = await client.call("/answer", "POST", [("Content-Type", "application/json")], prelude)
        assert reply.status == status
        assert not {"content-length", "transfer-encoding"} & set(reply.headers)
        assert (await client.call("/hello")).body == b"hello"


async def test_head_gets_no_body_and_the_connection_lives():
    async with emulate() as (emulator, _), connect(emulator) as client:
        assert (await client.call("/hello", "HEAD")).status == 200
        assert (await client.call("/hello")).body == b"hello"


async def test_bytes_without_a_prelude_are_a_200_of_their_own_type():
    async with emulate() as (emulator, _):
        reply = await call(emulator, "/plain")
    assert (reply.status, reply.headers["content-type"]) == (200, ["text/csv"])
    assert reply.body == b"no prelude " + bytes(8) + b"plain"


async def test_a_request_over_the_limit_is_a_413():
    async with emulate(limits=Limits(request=2000)) as (emulator, lines):
        reply = await call(emulator, "/event", "POST", body=b"x" * 2001)
        assert reply.status == 413
        assert reply.json()["Message"].startswith("Request must be smaller than 2000 bytes")
        encoded = await call(emulator, "/event", "POST", [("Content-Type", "image/png")], b"x" * 1600)
        assert encoded.status == 413
        assert (await call(emulator, "/event", "POST", body=b"x" * 7_000_000)).status == 413
        assert not any(line.startswith("START") for line in lines)


@pytest.mark.parametrize(
    "request_",
    [
        b"HELLO\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nlonger\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"y" * 300_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_a_400(request_):
    async with emulate() as (emulator, _), connect(emulator) as client:
        client.writer.write(request_)
        assert (await client.receive()).status == 400
        assert await client.reader.read() == b""


async def test_an_http_1_0_client_reads_until_the_connection_closes():
    async with emulate() as (emulator, _), connect(emulator) as client:
        client.writer.write(b"GET /hello HTTP/1.0\r\n\r\n")
        reply = await client.reader.read()
    head, _, body = reply.partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert b"chunked" not in head
    assert body == b"hello"


async def test_a_request_that_breaks_off_reaches_no_function():
    async with emulate() as (emulator, lines), connect(emulator) as client:
        client.writer.write(b"POST /hello HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        client.writer.write_eof()
        assert await client.reader.read() == b""
        assert lines == []


async def test_an_address_in_use_is_refused_and_nothing_left_behind():
    async with emulate() as (emulator, _):
        port = int(emulator.url.rpartition(":")[2])
        second = Emulator(FunctionConfig("toy.serve", TOYS, wrapper=TOYS / "bootstrap"), port=port, log=print)
        with pytest.raises(OSError, match="in use"):
            await second.__aenter__()


BUFFERED = [
    ({"statusCode": 201, "headers": {"X-A": "b"}, "body": "made", "cookies": ["a=1"]}, 201, b"made"),
    ({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, b"\x00\xff"),
    ({"message": "hi"}, 200, b'{"message": "hi"}'),
    ("text", 200, b"text"),
    ({"statusCode": "no"}, 502, b"Internal Server Error"),
    ({"statusCode": 200, "body": {"not": "a string"}}, 502, b"Internal Server Error"),
    ({"statusCode": 200, "body": "%", "isBase64Encoded": True}, 502, b"Internal Server Error"),
]


@pytest.mark.parametrize(("payload", "status", "body"), BUFFERED)
async def test_a_buffered_payload_is_inferred(payload, status, body):
    async with emulate(invoke_mode="BUFFERED") as (emulator, _), connect(emulator) as client:
        json_type = [("Content-Type", "application/json")]
        reply = await client.call("/buffered", "POST", json_type, json.dumps(payload).encode())
        assert (reply.status, reply.body) == (status, body)
        assert reply.headers["content-type"] == ["application/json"]
        assert (await client.call("/buffered", "POST", json_type, b"{}")).status == 200


async def test_a_streamed_prelude_means_nothing_to_a_buffered_url():
    async with emulate(invoke_mode="BUFFERED") as (emulator, _):
        assert (await call(emulator, "/hello")).status == 502


async def test_each_event_arrives_before_the_next_is_sent():
    async with emulate() as (emulator, _), gate() as after_each:
        reply = await call(emulator, f"/five?{after_each.port}", between=after_each.open)
    assert reply.pieces == [b"0\n", b"1\n", b"2\n", b"3\n", b"4\n"]
    assert reply.complete


async def test_a_burst_is_not_slowed():
    async with emulate(limits=replace(PATIENT, burst=100_000, bandwidth=1)) as (emulator, _):
        for _ in range(2):
            assert len((await call(emulator, "/big?90000")).body) == 90_000


async def test_beyond_the_burst_bandwidth_falls_to_the_rate():
    async with emulate(limits=replace(PATIENT, burst=100_000, bandwidth=200_000)) as (emulator, _):
        began = time.monotonic()
        assert len((await call(emulator, "/big?200000")).body) == 200_000
    assert time.monotonic() - began > 0.45


def test_the_rate_is_given_in_full():
    now = [0.0]
    throttle = Throttle(burst=1000, rate=100, clock=lambda: now[0])
    assert throttle.delay(1000) == 0
    assert throttle.delay(200) == 2
    now[0] += 2
    assert throttle.delay(50) == 0.5
    now[0] += 1
    assert throttle.delay(50) == 0
    now[0] += 1000
    assert throttle.delay(1100) == 1


async def test_a_slow_reader_slows_the_runtime_down():
    async with emulate(throttle=False) as (emulator, lines), connect(emulator) as client:
        await client.send("/big?40000000")
        await client.reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)
        assert not any("status 202" in line for line in lines)
        size = 0
        while length := int(await client.reader.readuntil(b"\r\n"), 16):
            size += length
            await client.reader.readexactly(length + 2)
        assert size == 40_000_000
        await lines.until("status 202")


async def test_a_client_that_asks_first_is_told_to_send_its_body():
    async with emulate() as (emulator, _), connect(emulator) as client:
        client.writer.write(b"POST /event HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.writer.write(b"hi")
        assert (await client.receive()).json()["event"]["headers"]["content-length"] == "2"


async def test_a_client_that_leaves_is_not_mentioned_and_its_sandbox_stays_occupied():
    async with emulate(sandboxes=1) as (emulator, lines), gate() as after_each:
        async with connect(emulator) as client:
            await client.send(f"/five?{after_each.port}")
            await client.reader.readuntil(b"\n")
        reply = await call(emulator, "/hello")
        assert reply.status == 429
        for _ in range(5):
            await after_each.open()
        await lines.until("status 202")
        await emulator.idle()
        assert [report.outcome for report in emulator.reports] == ["ok"]


async def test_beyond_the_concurrency_requests_are_throttled():
    async with emulate(sandboxes=2) as (emulator, _), gate() as answers:
        busy = [asyncio.create_task(call(emulator, f"/held?{answers.port}")) for _ in range(2)]
        for _ in busy:
            await answers.reached()
        refused = await call(emulator, "/hello")
        assert refused.status == 429
        assert refused.json()["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert refused.headers["x-amzn-errortype"] == ["TooManyRequestsException"]
        for _ in busy:
            await answers.open()
        assert {reply.status for reply in await asyncio.gather(*busy)} == {200}
        assert (await call(emulator, "/hello")).status == 200
