"""The SDK's own client, in both protocol eras, through both commands."""

from collections.abc import Iterator

import pytest
from mcp import Client

from tests.support.command import running

pytestmark = pytest.mark.anyio

FIVE = ["echo", "get_request_info", "get_source_ip", "get_weather", "web_search"]


@pytest.fixture(scope="module", params=["serve", "lambda"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    with running(request.param, "--auth", "noauth") as command:
        yield command.url


@pytest.fixture(params=["2026-07-28", "legacy", "auto"])
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("path", ["/mcp", "/"])
async def test_a_client_lists_five_tools_and_calls_one(server: str, mode: str, path: str) -> None:
    async with Client(server + path, mode=mode) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("echo", {"message": "Grüße, 世界"})
    assert [tool.name for tool in tools] == FIVE
    assert [block.text for block in result.content] == ["Grüße, 世界"]
    assert result.structured_content == {"message": "Grüße, 世界"}


async def test_the_caller_sees_its_own_request(server: str, mode: str) -> None:
    async with Client(f"{server}/mcp", mode=mode) as client:
        address = await client.call_tool("get_source_ip", {})
        info = await client.call_tool("get_request_info", {})
    assert address.content[0].text == "Your source IP address: 127.0.0.1"
    assert "Path: /mcp" in info.content[0].text
    assert "Method: POST" in info.content[0].text


async def test_bad_arguments_are_a_result_that_says_what_to_change(server: str, mode: str) -> None:
    async with Client(f"{server}/mcp", mode=mode) as client:
        result = await client.call_tool("get_weather", {"zip_code": "1000"})
    assert result.is_error
    assert "5" in result.content[0].text
