"""`python -m bench tools`: every tool through the emulated function URL; those that call out, against doubles."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bench.calls import Call, echo, text, tool_call
from bench.facts import facts
from bench.http_client import Connection
from bench.lab import Lab, timed_ms
from bench.packages import interpreter, stage
from bench.report import Aim, Report, Row, Section, p95_below
from bench.variants import OURS, Variant
from tests.support.openai import OpenAIDouble
from tests.support.serve import serving
from tests.support.weather import WeatherDouble

LOCAL_LIMIT_MS = 500
CALLING_LIMIT_MS = 3000

# Seconds that the doubles take, as the services do over the Internet: one of three requests, and a whole search.
WEATHER_DELAY = 0.15
SEARCH_DELAY = 1.5

_KEY = "sk-bench"


@dataclass(frozen=True)
class Options:
    """What a run may vary: calls of each local tool, calls of each that calls out, and the protocol version."""

    calls: int
    upstream_calls: int
    era: str


def local_tools(era: str) -> dict[str, Call]:
    """A call of each tool that needs nobody else."""
    return {
        "echo": echo(era),
        "get_source_ip": tool_call("get_source_ip", {}, era, _says("Your source IP address: 127.0.0.1")),
        "get_request_info": tool_call("get_request_info", {}, era, _says("Request Information:")),
    }


def calling_tools(era: str) -> dict[str, Call]:
    """A call of each tool that calls out."""
    search = {"query": "Model Context Protocol specification", "max_results": 3}
    return {
        "get_weather": tool_call("get_weather", {"zip_code": "10001"}, era, _says("Weather for New York, NY (10001):")),
        "web_search": tool_call("web_search", search, era, _says("https://modelcontextprotocol.io/specification")),
    }


async def run(options: Options, progress: Callable[[str], None]) -> Report:
    """Make the package, start the doubles, and measure.

    Raises:
        bench.calls.WrongAnswerError: a tool does not do what it should.
        subprocess.CalledProcessError: the package could not be made.
    """
    progress("package")
    packages = {OURS.key: stage(OURS.package)}
    local, calling = local_tools(options.era), calling_tools(options.era)
    lab = Lab(packages, interpreter(), local["echo"], progress)
    async with _upstreams() as variant, lab.emulated(variant, freeze=False) as emulator:
        client = await Connection.open(emulator.url)
        sections = [
            Section("local", "Local tools, ms", await _rows(client, local, options.calls, progress)),
            Section("calling", "Calling tools, ms", await _rows(client, calling, options.upstream_calls, progress)),
        ]
        await client.close()
    return Report("tools", facts(packages, vars(options)), sections, aims(*sections))


def aims(local: Section, calling: Section) -> list[Aim]:
    """What every tool is to keep within, 95 times of 100."""
    limits = [(row, LOCAL_LIMIT_MS) for row in local.rows] + [(row, CALLING_LIMIT_MS) for row in calling.rows]
    return [p95_below(f"p95 of {row.key}", row.samples, limit) for row, limit in limits]


@asynccontextmanager
async def _upstreams() -> AsyncIterator[Variant]:
    """This server, with its caches off, and doubles as slow as what they stand for."""
    weather, search = WeatherDouble(delay=WEATHER_DELAY), OpenAIDouble(keys={_KEY}, delay=SEARCH_DELAY)
    async with serving(weather.app) as weather_url, serving(search.app) as search_url:
        upstreams = {
            "NWS_BASE_URL": weather_url,
            "OPENAI_BASE_URL": f"{search_url}/v1",
            "OPENAI_API_KEY": _KEY,
            "WEATHER_CACHE_SECONDS": "0",
            "SEARCH_CACHE_SECONDS": "0",
        }
        yield replace(OURS, environment={**OURS.environment, **upstreams})


async def _rows(client: Connection, calls: dict[str, Call], count: int, progress: Callable[[str], None]) -> list[Row]:
    """Call each tool `count` times, by turns, after one uncounted call that imports what it needs."""
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(count + 1):
        progress(f"tools: {number} of {count}")
        for name, call in calls.items():
            samples[name].append(await timed_ms(client, call))
    return [Row(name, name, taken[1:]) for name, taken in samples.items()]


def _says(words: str) -> Callable[[dict[str, Any]], bool]:
    return lambda found: words in text(found)
