"""Web search through the registry, against a double of OpenAI."""

import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from mcp_app.clients.http import Http
from mcp_app.clients.openai import OpenAI, search_request
from mcp_app.deadline import Deadline
from mcp_app.secrets import Secrets
from mcp_app.tools.outcome import Outcome, Status
from tests.support import faults
from tests.support.calls import call, clients, settings_for, text_of
from tests.support.faults import Fault
from tests.support.openai import PAGES, OpenAIDouble, found, message, output_text
from tests.support.serve import serving

pytestmark = pytest.mark.anyio

KEY = {"openai_api_key": "sk-good"}


async def search(double: OpenAIDouble | None, seconds: float = 10, **arguments: Any) -> Outcome:
    async with clients(double, **KEY) as made:
        return await call("web_search", {"query": "mcp"} | arguments, made, seconds)


async def test_results_have_title_address_and_snippet() -> None:
    double = OpenAIDouble()
    outcome = await search(double, query=" mcp specification ", max_results=2)
    assert outcome.structured == {"query": "mcp specification", "results": list(PAGES[:2])}
    assert text_of(outcome) == (
        "Web search results for: mcp specification\n\n"
        "1. Specification\n   https://modelcontextprotocol.io/specification\n   The protocol.\n\n"
        "2. Python SDK\n   https://github.com/modelcontextprotocol/python-sdk\n   The SDK."
    )


async def test_the_request_asks_for_a_search_and_for_nothing_to_be_stored() -> None:
    double = OpenAIDouble()
    await search(double, query="mcp", max_results=7)
    (request,) = double.requests
    assert request["model"] == "gpt-5-mini"
    assert request["tools"][0]["type"] == "web_search"
    assert request["include"] == ["web_search_call.action.sources"]
    assert request["input"] == "mcp"
    assert "7 most relevant pages" in request["instructions"]
    assert request["store"] is False
    assert request["stream"] is True


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("gpt-5-mini", True),
        ("gpt-5.6-terra", True),
        ("o4-mini", True),
        ("gpt-4.1-mini", False),
        ("gpt-5-chat-latest", False),
    ],
)
def test_only_reasoning_models_are_told_to_reason_little(model: str, reasons: bool) -> None:
    assert ("reasoning" in search_request(model, "q", 5)) is reasons


async def test_progress_is_what_really_happens() -> None:
    reports: list[tuple[float, float | None, str | None]] = []
    logs: list[tuple[str, Any]] = []

    async def progress(*report: Any) -> None:
        reports.append(report)

    async def log(*entry: Any) -> None:
        logs.append(entry)

    async with clients(OpenAIDouble(), **KEY) as made:
        await call("web_search", {"query": "mcp"}, made, progress=progress, log=log)
    assert reports == [
        (1, None, "Starting a web search"),
        (2, None, "Searching the web"),
        (3, None, "Reading what was found"),
        (4, None, "Writing down the results"),
    ]
    assert logs == [("info", "Searching the web for 'mcp'"), ("info", "3 pages found")]


async def test_progress_comes_while_the_search_goes_on() -> None:
    searching = threading.Event()

    async def progress(_done: float, _total: float | None, text: str | None) -> None:
        if text == "Searching the web":
            searching.set()

    async with clients(OpenAIDouble(proceed=searching), **KEY) as made:
        outcome = await call("web_search", {"query": "mcp"}, made, seconds=60, progress=progress)
    assert not outcome.is_error


async def test_an_answer_that_is_not_streamed_is_taken_too() -> None:
    outcome = await search(OpenAIDouble(streams=False))
    assert outcome.structured == {"query": "mcp", "results": list(PAGES)}


async def test_what_a_model_does_not_take_is_left_out_from_then_on() -> None:
    double = OpenAIDouble(unsupported={"reasoning", "text", "tool_choice", "include", "stream"})
    double.output = [message(output_text("See.", {"type": "url_citation", "url": "https://a.example/", "title": "A"}))]
    async with clients(double, **KEY) as made:
        outcome = await call("web_search", {"query": "mcp"}, made)
        assert len(double.requests) == 6
        await call("web_search", {"query": "another"}, made)
    assert outcome.structured == {
        "query": "mcp",
        "results": [{"title": "A", "url": "https://a.example/", "snippet": ""}],
    }
    assert len(double.requests) == 7


async def test_nothing_found_is_no_failure() -> None:
    outcome = await search(OpenAIDouble(output=found()))
    assert outcome.status is Status.OK
    assert text_of(outcome) == "No results found for: mcp"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"query": ""}, "query"),
        ({"query": "  "}, "query"),
        ({}, "query"),
        ({"query": "x" * 1001}, "query"),
        ({"query": 7}, "query"),
        ({"query": "x", "max_results": 0}, "max_results"),
        ({"query": "x", "max_results": 21}, "max_results"),
        ({"query": "x", "max_results": "many"}, "max_results"),
    ],
)
async def test_arguments_are_checked(arguments: Any, field: str) -> None:
    async with clients(**KEY) as made:
        outcome = await call("web_search", arguments, made)
    assert outcome.status is Status.INVALID
    assert text_of(outcome).startswith(field)


def stream_of(*events: dict[str, Any]) -> Fault:
    text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return faults.body(text, "text/event-stream")


def failed(code: str) -> Fault:
    error = {"code": code, "message": "inside text"}
    return stream_of({"type": "response.failed", "response": {"status": "failed", "error": error, "output": []}})


def api_error(status: int, code: str, kind: str = "invalid_request_error", **headers: str) -> Fault:
    return faults.status(status, {"error": {"message": "inside text", "type": kind, "code": code}}, **headers)


BUSY = "OpenAI is being asked too often. Try again later."
BROKEN = "OpenAI has a fault at the moment. Try again later."
ODD = "OpenAI gave an answer that could not be understood. Try again later."
CUT = "OpenAI broke off its answer. Try again later."
REFUSED = "OpenAI declined this request. Try to word it differently."
MODEL = "OpenAI has no such model for this server, or it cannot search: the operator must check OPENAI_MODEL."


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (api_error(400, "invalid_prompt"), REFUSED),
        (api_error(400, "model_not_found"), MODEL),
        (api_error(400, "tool_not_supported"), MODEL),
        (
            api_error(403, "unsupported_country_region_territory"),
            "OpenAI does not let this server do that: the operator must check the account's rights and region.",
        ),
        (api_error(404, "model_not_found"), MODEL),
        (api_error(429, "rate_limit_exceeded", "requests"), BUSY),
        (
            api_error(429, "rate_limit_exceeded", "tokens", retry_after="59"),
            "OpenAI is being asked too often. Try again in 59 seconds.",
        ),
        (
            api_error(429, "insufficient_quota", "insufficient_quota"),
            "This server's quota at OpenAI is used up: the operator must check the account's plan and billing.",
        ),
        (faults.status(500, "<html>inside text</html>"), BROKEN),
        (faults.status(503, "<html>inside text</html>"), BROKEN),
        (failed("server_error"), BROKEN),
        (failed("rate_limit_exceeded"), BUSY),
        (failed("invalid_prompt"), REFUSED),
        (failed("something_new"), BROKEN),
        (stream_of({"type": "error", "code": "server_error", "message": "inside text"}), BROKEN),
        (stream_of({"type": "error", "error": {"code": "rate_limit_exceeded"}}), BUSY),
        (stream_of({"type": "response.incomplete", "response": {"status": "incomplete"}}), CUT),
        (
            stream_of(
                {
                    "type": "response.incomplete",
                    "response": {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
                }
            ),
            REFUSED,
        ),
        (stream_of({"type": "response.created"}), CUT),
        (stream_of({"type": "response.completed"}), ODD),
        (stream_of({"type": "response.completed", "response": {"status": "completed"}}), ODD),
        (faults.broken_off(b'event: response.created\ndata: {"type": "resp', "text/event-stream"), CUT),
        (faults.body("data: {not json\n\n", "text/event-stream"), ODD),
        (faults.body(f"data: {'[' * 100_000}\n\n", "text/event-stream"), ODD),
        (faults.body("data: [1]\n\ndata: [DONE]\n\n", "text/event-stream"), CUT),
        (faults.body("<html>inside text</html>", "text/html"), ODD),
        (faults.body('{"status": "comp'), ODD),
        (faults.body("[]"), ODD),
        (faults.body('{"status": "failed", "error": {"code": "server_error"}}'), BROKEN),
    ],
)
async def test_each_failure_has_its_message(fault: Fault, text: str) -> None:
    double = OpenAIDouble()
    double.faults.always = fault
    outcome = await search(double)
    assert outcome.status is Status.FAILED
    assert text_of(outcome) == text


async def test_a_refusal_says_what_to_do() -> None:
    outcome = await search(OpenAIDouble(output=[message({"type": "refusal", "refusal": "inside text"})]))
    assert text_of(outcome) == REFUSED


async def test_a_slow_search_ends_in_time() -> None:
    outcome = await search(OpenAIDouble(delay=30), seconds=0.5)
    assert text_of(outcome) == "OpenAI did not answer in time. Try again later."


async def test_a_service_that_is_down() -> None:
    assert text_of(await search(None)) == "OpenAI could not be reached. Try again later."


async def test_a_passing_fault_is_not_noticed() -> None:
    double = OpenAIDouble()
    double.faults.queue.extend([faults.status(502, "<html>"), faults.status(429, retry_after="0")])
    assert (await search(double)).status is Status.OK
    assert len(double.requests) == 3


async def test_without_a_key_it_says_which_setting() -> None:
    double = OpenAIDouble()
    async with clients(double) as made:
        outcome = await call("web_search", {"query": "mcp"}, made)
    assert text_of(outcome) == "OpenAI is not set up here: the operator must set OPENAI_API_KEY or OPENAI_SECRET_ARN."
    assert not double.requests


@pytest.mark.parametrize("key", ["sk-bad", "sk-“quoted”", "sk-two\nlines"])
async def test_a_bad_key_is_told_without_showing_it(key: str) -> None:
    async with clients(OpenAIDouble(), openai_api_key=key) as made:
        outcome = await call("web_search", {"query": "mcp"}, made)
    assert text_of(outcome) == "OpenAI refused this server's key: the operator must check OPENAI_API_KEY."


async def test_equal_searches_at_once_are_one() -> None:
    double, outcomes = OpenAIDouble(delay=0.2), list[Outcome]()
    async with clients(double, **KEY) as made:

        async def ask(query: str) -> None:
            outcomes.append(await call("web_search", {"query": query}, made))

        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(ask, "the same" if number % 2 else " The  SAME ")
    assert [outcome.status for outcome in outcomes] == [Status.OK] * 50
    assert len(double.requests) == 1


@asynccontextmanager
async def openai_at(double: OpenAIDouble, now: list[float]) -> AsyncIterator[OpenAI]:
    async with serving(double.app) as url:
        settings, http = settings_for(url, search_cache_seconds=60, **KEY), Http()
        try:
            yield OpenAI(http, settings, Secrets(settings), lambda: now[0])
        finally:
            await http.aclose()


async def test_results_are_kept_for_a_while() -> None:
    async def quietly(_: str) -> None: ...

    double, now = OpenAIDouble(), [0.0]
    async with openai_at(double, now) as openai:
        for wait, query, limit, asked in (
            (0, "q", 5, 1),
            (59, "q", 5, 1),
            (0, "q", 6, 2),
            (0, "r", 5, 3),
            (2, "q", 5, 4),
        ):
            now[0] += wait
            await openai.search(query, limit, Deadline.after(10), quietly)
            assert len(double.requests) == asked
