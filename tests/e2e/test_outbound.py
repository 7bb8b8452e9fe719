"""The tools that call out, from a sandbox that is frozen between calls."""

import sys
from typing import Any

import httpx2
import pytest

from tests.support.function import function
from tests.support.openai import OpenAIDouble
from tests.support.serve import serving
from tests.support.weather import WeatherDouble

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        sys.platform != "linux", reason="only Linux lets the emulator shut down another process's connections"
    ),
]


async def call(client: httpx2.AsyncClient, name: str, arguments: dict[str, Any]) -> Any:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    reply = await client.post("/mcp", json=message, headers={"accept": "application/json, text/event-stream"})
    lines = reply.text.splitlines()
    last = next(line.removeprefix("data: ") for line in reversed(lines) if line.startswith(("data: ", "{")))
    return httpx2.Response(200, text=last).json()["result"]


async def test_connections_that_died_in_a_freeze_fail_no_call() -> None:
    openai, weather = OpenAIDouble(), WeatherDouble()
    async with serving(openai.app) as o, serving(weather.app) as w:
        environment = {
            "OPENAI_BASE_URL": f"{o}/v1",
            "OPENAI_API_KEY": "sk-good",
            "NWS_BASE_URL": w,
            "WEATHER_CACHE_SECONDS": "0",
            "SEARCH_CACHE_SECONDS": "0",
        }
        async with (
            function(
                "handlers.function_url.app", sandboxes=1, drop_connections=True, environment=environment
            ) as running,
            httpx2.AsyncClient(base_url=running.url, timeout=30) as client,
        ):
            for _ in range(3):
                report = await call(client, "get_weather", {"zip_code": "10001"})
                assert report["content"][0]["text"].startswith("Weather for New York, NY (10001):\nTemperature: 72°F")
                pages = await call(client, "web_search", {"query": "mcp"})
                assert len(pages["structuredContent"]["results"]) == 3
    assert len({request.client for request in weather.requests}) == 3
