import threading
import time

import anyio
import anyio.to_thread
import httpx2
import pytest

from mcp_app.app import create_app
from mcp_app.settings import Settings
from mcp_app.tools.content import Text
from mcp_app.tools.registry import Registry
from mcp_app.tools.tool import tool
from mcp_app.transport.call_context import PLATFORM_MARGIN_SECONDS
from tests.support import mcp_direct
from tests.support.gate import PATIENCE
from tests.support.lambda_scope import OnLambda
from tests.support.mcp_messages import ERAS, LEGACY, LOG_LEVEL_KEY, MODERN, call, events, headers, message, post
from tests.support.mcp_tools import READS, REGISTRY, Nothing
from tests.support.serve import connected, serving

SETTINGS = Settings(auth_mode="noauth", log_level="CRITICAL", tool_timeout_seconds=60)


@pytest.fixture(scope="module")
def client():
    with connected(create_app(SETTINGS, REGISTRY)) as client:
        yield client


def progress(messages):
    return [item["params"] for item in messages if item.get("method") == "notifications/progress"]


def logged(messages):
    return [
        (item["params"]["level"], item["params"]["data"])
        for item in messages
        if item.get("method") == "notifications/message"
    ]


@pytest.mark.parametrize("era", ERAS)
def test_progress_streams_to_who_gave_a_token(client, era):
    messages = events(call(client, "working", era=era, progressToken="t1"))
    assert progress(messages) == [
        {"progressToken": "t1", "progress": 1, "total": 2, "message": "half way"},
        {"progressToken": "t1", "progress": 2, "total": 2, "message": "done"},
    ]
    assert (messages[-1]["id"], messages[-1]["result"]["content"][0]["text"]) == (7, "worked")


def test_nothing_that_is_streamed_is_logged(capfd):
    settings = SETTINGS.replace(log_level="DEBUG")
    with connected(create_app(settings, REGISTRY)) as client:
        assert "went wrong" in call(client, "working", era=LEGACY, progressToken=1).text
    log = capfd.readouterr().out
    assert "POST /mcp 200" in log
    assert not [word for word in ("worked", "half way", "went wrong") if word in log]


def test_a_stream_is_not_to_be_cached_or_buffered(client):
    response = call(client, "working", progressToken=1)
    assert "no-cache" in response.headers["cache-control"]
    assert response.headers["x-accel-buffering"] == "no"


def test_nothing_to_stream_is_answered_in_json(client):
    response = call(client, "working")
    assert response.headers["content-type"] == "application/json"
    assert call(client, "echo", {"message": "x"}, progressToken=1).headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["debug", "info", "error"]),
        ("info", ["info", "error"]),
        ("error", ["error"]),
        ("emergency", []),
    ],
)
def test_log_messages_from_the_requested_level_up(client, level, expected):
    response = call(client, "working", progressToken=1, **{LOG_LEVEL_KEY: level})
    assert [found for found, _ in logged(events(response))] == expected


def test_no_log_messages_unless_asked_for(client):
    assert logged(events(call(client, "working", progressToken=1))) == []


def test_the_handshake_era_logs_from_info_up(client):
    assert post(client, "logging/setLevel", {"level": "debug"}, era=LEGACY).json()["result"] == {}
    messages = events(call(client, "working", era=LEGACY))
    assert logged(messages) == [("info", "an event"), ("error", {"what": "went wrong"})]
    assert progress(messages) == []


def test_logging_is_advertised_only_where_a_tool_logs():
    quiet = Registry([REGISTRY.get("echo")])
    with connected(create_app(SETTINGS, quiet)) as client:
        assert "logging" not in post(client, "server/discover").json()["result"]["capabilities"]
        assert post(client, "logging/setLevel", {"level": "info"}, era=LEGACY).json()["error"]["code"] == -32601


@pytest.mark.parametrize("era", ERAS)
def test_a_client_that_cannot_stream_still_gets_the_answer(client, era):
    body = message("tools/call", {"name": "working", "arguments": {}}, era=era, progressToken=1)
    response = client.post("/mcp", json=body, headers=headers(body, era=era, accept="application/json"))
    assert response.json()["result"]["content"][0]["text"] == "worked"


@pytest.mark.parametrize("era", ERAS)
def test_a_tool_that_hangs_is_ended_at_the_deadline(era):
    with connected(create_app(SETTINGS.replace(tool_timeout_seconds=0.3), REGISTRY)) as client:
        result = call(client, "hanging", era=era).json()["result"]
    assert result["isError"] is True
    assert result["content"][0]["text"] == "Hanging did not finish in time. Try again later."


def with_seconds_left(app, seconds):
    """An app as Lambda invokes it when its invocation has so many seconds left."""

    async def invoked(scope, receive, send):
        if scope["type"] == "http":
            scope["extensions"]["aws.lambda"]["deadline_ms"] = int((time.time() + seconds) * 1000)
        await app(scope, receive, send)

    return OnLambda(invoked)


@pytest.mark.parametrize("seconds", [1.2, 1, 0])
def test_a_tool_ends_when_the_platform_is_about_to(seconds):
    app = create_app(SETTINGS.replace(tool_timeout_seconds=600), REGISTRY)
    with connected(with_seconds_left(app, seconds)) as client:
        result = call(client, "hanging").json()["result"]
    assert result["content"][0]["text"] == "Hanging did not finish in time. Try again later."


def test_a_tools_deadline_is_before_the_platforms():
    app = create_app(SETTINGS.replace(tool_timeout_seconds=600), REGISTRY)
    with connected(with_seconds_left(app, 300)) as client:
        told = call(client, "telling").json()["result"]["structuredContent"]
    assert 200 < told["remaining"] <= 300 - PLATFORM_MARGIN_SECONDS


async def next_data(lines):
    """The next event's data; comments and blank lines are skipped."""
    with anyio.fail_after(PATIENCE):
        async for line in lines:
            if line.startswith("data:"):
                return line
    raise AssertionError("the stream ended")


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_first_event_arrives_before_the_tool_is_done(era):
    gate = threading.Event()

    @tool(title="Gated", annotations=READS, streaming=True)
    async def gated(_arguments: Nothing, context):
        """Waits between its reports."""
        await context.progress(1, 2, None)
        await anyio.to_thread.run_sync(gate.wait, PATIENCE)
        return [Text("opened")]

    app = create_app(SETTINGS, Registry([gated]))
    body = message("tools/call", {"name": "gated", "arguments": {}}, era=era, progressToken=1)
    async with (
        serving(app) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False) as client,
        client.stream("POST", "/mcp", json=body, headers=headers(body, era=era)) as response,
    ):
        lines = response.aiter_lines()
        assert "notifications/progress" in await next_data(lines)
        gate.set()
        assert "opened" in await next_data(lines)


@pytest.mark.anyio
async def test_a_client_that_leaves_ends_its_call():
    ended = threading.Event()

    @tool(title="Watched", annotations=READS, streaming=True)
    async def watched(_arguments: Nothing, context):
        """Reports until it is cancelled."""
        try:
            await context.progress(1, 2, None)
            await anyio.sleep_forever()
        finally:
            ended.set()
        return []

    app = create_app(SETTINGS.replace(tool_timeout_seconds=600), Registry([watched]))
    body = message("tools/call", {"name": "watched", "arguments": {}}, era=MODERN, progressToken=1)
    async with serving(app) as url, httpx2.AsyncClient(base_url=url, trust_env=False) as client:
        async with client.stream("POST", "/mcp", json=body, headers=headers(body)) as response:
            await next_data(response.aiter_lines())
        assert await anyio.to_thread.run_sync(ended.wait, PATIENCE)


@pytest.mark.anyio
async def test_many_calls_at_once_do_not_mix():
    app = create_app(SETTINGS, REGISTRY)
    answers = {}

    async def ask(client, number):
        era = ERAS[number % 2]
        body = message("tools/call", {"name": "echo", "arguments": {"message": f"m{number}"}}, era=era)
        response = await client.post("/mcp", json=body, headers=headers(body, era=era))
        answers[number] = response.json()["result"]["structuredContent"]["message"]

    async with (
        serving(app) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False) as client,
        anyio.create_task_group() as group,
    ):
        for number in range(50):
            group.start_soon(ask, client, number)
    assert answers == {number: f"m{number}" for number in range(50)}


@pytest.mark.anyio
async def test_what_fails_in_the_transport_is_an_internal_error(caplog):
    never_entered = mcp_direct.server()
    said = await mcp_direct.answer(never_entered, "tools/call", mcp_direct.ECHO, MODERN)
    assert said == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32603, "message": "Internal error. It has been logged."},
    }
    assert "tools/call failed in the transport" in caplog.text


@pytest.mark.anyio
async def test_a_client_that_leaves_before_its_body_is_whole_gets_nothing():
    received = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    sent = []

    async def receive():
        return next(received)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}
    await mcp_direct.server()(scope, receive, send)
    assert sent == []
