"""The built package itself, not the source tree, started as Lambda starts it."""

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from mcp import Client

from lambda_asgi.emulator import Emulator, FunctionConfig
from tests.support.command import running
from tests.support.person import Person
from tests.support.rie import rie
from tests.support.tools import ROOT

pytestmark = [pytest.mark.anyio, pytest.mark.sam]

EVENT = ROOT / "events" / "function_url.json"
HANDLER = "handlers.function_url.app"
SETTINGS = {"AUTH_MODE": "noauth", "ALLOW_PUBLIC_NOAUTH": "true"}


@pytest.fixture(scope="module")
def python() -> str:
    """The interpreter that the package was built for."""
    return subprocess.run(
        [ROOT / "deploy" / "find-python", "3.13"], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
async def emulator(artifact: Path, python: str) -> AsyncIterator[Emulator]:
    config = FunctionConfig(handler=HANDLER, task_root=artifact, python=python, environment=SETTINGS)
    async with Emulator(config, log=lambda _line: None) as running_emulator:
        yield running_emulator


def times(directory: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*")}


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_a_client_calls_the_package(emulator: Emulator, mode: str) -> None:
    async with Client(f"{emulator.url}/mcp", mode=mode) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("echo", {"message": "from the package"})
    assert [tool.name for tool in tools] == ["echo", "get_request_info", "get_source_ip", "get_weather", "web_search"]
    assert result.content[0].text == "from the package"


async def test_the_sample_event_is_answered(emulator: Emulator) -> None:
    result = await emulator.invoke(json.loads(EVENT.read_text()))
    assert b"Hello, MCP!" in result.payload


async def test_nothing_is_written_into_the_package(emulator: Emulator, artifact: Path) -> None:
    before = times(artifact)
    async with httpx2.AsyncClient(base_url=emulator.url) as client:
        assert (await client.get("/healthz")).status_code == 200
    assert times(artifact) == before


def test_the_command_runs_the_package(artifact: Path, python: str) -> None:
    with running("lambda", "--auth", "noauth", "--package", str(artifact), "--python", python) as server:
        assert httpx2.get(f"{server.url}/healthz").json()["status"] == "ok"


def test_the_package_has_pages_on_which_people_sign_in(artifact: Path, python: str, tmp_path: Path) -> None:
    users = {"AUTH_DB_PATH": str(tmp_path / "auth.db")}
    with running("lambda", "--package", str(artifact), "--python", python, env=users) as server:
        assert httpx2.post(f"{server.url}/mcp").status_code == 401
        with Person("mcpuser", "OMG!letmein") as person:
            assert "Signed in as" in person.account(server.url)


async def test_awss_own_emulator_runs_the_package(artifact: Path, python: str) -> None:
    async with (
        rie(HANDLER, task_root=artifact, python=python, **SETTINGS) as url,
        httpx2.AsyncClient(timeout=20) as client,
    ):
        replies = [await client.post(url, content=EVENT.read_bytes()) for _ in range(2)]
    for reply in replies:
        prelude, _, body = reply.content.partition(bytes(8))
        assert json.loads(prelude)["statusCode"] == 200
        assert json.loads(body)["result"]["structuredContent"] == {"message": "Hello, MCP!"}
