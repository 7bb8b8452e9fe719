"""The SDK's own client, in both protocol eras, through both commands, calling all five tools."""

from collections.abc import Iterator

import jsonschema
import pytest
from mcp import Client

from tests.support.command import running
from tests.support.openai import PAGES, OpenAIDouble
from tests.support.serve import served
from tests.support.weather import WeatherDouble

pytestmark = pytest.mark.anyio

CALLS = {
    "echo": {"message": "Grüße, 世界"},
    "get_request_info": {},
    "get_source_ip": {},
    "get_weather": {"zip_code": "10001"},
    "web_search": {"query": "Model Context Protocol specification", "max_results": 3},
}


@pytest.fixture(scope="module")
def upstream() -> Iterator[dict[str, str]]:
    with served(OpenAIDouble().app) as openai, served(WeatherDouble().app) as weather:
        yield {"OPENAI_BASE_URL": f"{openai}/v1", "OPENAI_API_KEY": "sk-good", "NWS_BASE_URL": weather}


@pytest.fixture(scope="module", params=["serve", "lambda"])
def server(request: pytest.FixtureRequest, upstream: dict[str, str]) -> Iterator[str]:
    with running(request.param, "--auth", "noauth", env=upstream) as command:
        yield command.url


@pytest.fixture(params=["2026-07-28", "legacy", "auto"])
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("path", ["/mcp", "/"])
async def test_a_client_lists_five_tools_and_calls_each(server: str, mode: str, path: str) -> None:
    async with Client(server + path, mode=mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        results = {name: await client.call_tool(name, arguments) for name, arguments in CALLS.items()}
    assert list(tools) == list(CALLS)
    for name, result in results.items():
        assert not result.is_error, result
        jsonschema.validate(result.structured_content, tools[name].output_schema)


async def test_the_texts_are_as_specified(server: str, mode: str) -> None:
    async with Client(f"{server}/mcp", mode=mode) as client:
        texts = {name: (await client.call_tool(name, arguments)).content for name, arguments in CALLS.items()}
    shown = {name: "".join(block.text for block in content) for name, content in texts.items()}
    assert shown["echo"] == "Grüße, 世界"
    assert shown["get_source_ip"] == "Your source IP address: 127.0.0.1"
    assert shown["get_weather"] == (
        "Weather for New York, NY (10001):\nTemperature: 72°F\nConditions: Partly Cloudy\nHumidity: 65%"
    )
    assert shown["get_request_info"].startswith("Request Information:\n\nHeaders:\n")
    assert (
        "\n\nConnection:\n  Source IP: 127.0.0.1\n  Protocol: HTTP/1.1\n  Method: POST\n  Path: /mcp"
        in (shown["get_request_info"])
    )
    assert all(page["url"] in shown["web_search"] for page in PAGES)


async def test_a_search_reports_progress(server: str, mode: str) -> None:
    reported: list[tuple[float, str | None]] = []

    async def progress(done: float, _total: float | None, message: str | None) -> None:
        reported.append((done, message))

    async with Client(f"{server}/mcp", mode=mode) as client:
        result = await client.call_tool("web_search", {"query": f"progress in {mode}"}, progress_callback=progress)
    assert not result.is_error
    assert len(reported) > 1
    assert reported == sorted(reported)


async def test_bad_arguments_are_a_result_that_says_what_to_change(server: str, mode: str) -> None:
    async with Client(f"{server}/mcp", mode=mode) as client:
        result = await client.call_tool("get_weather", {"zip_code": "1000"})
    assert result.is_error
    assert "five digits" in result.content[0].text
