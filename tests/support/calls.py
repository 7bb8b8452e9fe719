"""Calls of the utility tools, as any door makes them, with doubles behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp_app.tools.utility
from mcp_app.clients import Clients
from mcp_app.deadline import Deadline
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.tools.content import Text
from mcp_app.tools.context import ToolContext
from mcp_app.tools.outcome import Outcome
from mcp_app.tools.registry import Registry, discover
from tests.support.openai import OpenAIDouble
from tests.support.serve import serving
from tests.support.weather import WeatherDouble

REGISTRY = Registry(discover(mcp_app.tools.utility))

UNREACHABLE = "http://127.0.0.1:9"
"""Nothing listens on the discard port."""


def settings_for(openai: str = UNREACHABLE, weather: str = UNREACHABLE, **given: Any) -> Settings:
    """Settings whose outbound addresses are loopback ones."""
    return Settings(openai_base_url=f"{openai}/v1", openweathermap_base_url=weather, nws_base_url=weather, **given)


@asynccontextmanager
async def clients(
    openai: OpenAIDouble | None = None, weather: WeatherDouble | None = None, **given: Any
) -> AsyncIterator[Clients]:
    """Clients that call these doubles; without one the service cannot be reached."""
    async with _served(openai) as openai_url, _served(weather) as weather_url:
        settings = settings_for(openai_url, weather_url, **given)
        made = Clients(settings, Secrets(settings))
        try:
            yield made
        finally:
            await made.aclose()


@asynccontextmanager
async def _served(double: OpenAIDouble | WeatherDouble | None) -> AsyncIterator[str]:
    if double is None:
        yield UNREACHABLE
    else:
        async with serving(double.app) as url:
            yield url


async def call(name: str, arguments: Any, made: Clients, seconds: float = 20, **context: Any) -> Outcome:
    """One call through the registry."""
    return await REGISTRY.call(name, arguments, ToolContext(deadline=Deadline.after(seconds), clients=made, **context))


def idle_clients() -> Clients:
    """Clients for tools that call nobody."""
    settings = settings_for()
    return Clients(settings, Secrets(settings))


def text_of(outcome: Outcome) -> str:
    """The outcome's text."""
    (block,) = outcome.content
    assert isinstance(block, Text)
    return block.text
