"""Cold starts, and imports in fresh processes: each round takes one of every variant, one after the other."""

import gc
import time
from collections import defaultdict
from dataclasses import dataclass, field

from bench.http_client import Connection
from bench.lab import Lab, timed_ms
from bench.processes import connected, import_ms, web_server
from bench.variants import FASTMCP, FASTMCP_DIRECT, OURS, VARIANTS, Variant

BARE_IMPORT = "sdk"
_STATEMENTS = {BARE_IMPORT: "from mcp.server.lowlevel import Server", OURS.key: "import handlers.function_url"}


def _series() -> dict[str, list[float]]:
    return defaultdict(list)


@dataclass(frozen=True)
class ColdStarts:
    """Milliseconds by variant.

    Attributes:
        answered: from the request that starts a sandbox until its answer.
        init: the init phase of the same starts, as the service reports it.
        imports: from the start of a fresh process to the end of an import.
    """

    answered: dict[str, list[float]] = field(default_factory=_series)
    init: dict[str, list[float]] = field(default_factory=_series)
    imports: dict[str, list[float]] = field(default_factory=_series)


async def measure(lab: Lab, rounds: int) -> ColdStarts:
    """Measure `rounds` cold starts of each variant, after one uncounted round that warms the page cache."""
    await _round(lab, ColdStarts())
    found = ColdStarts()
    for number in range(rounds):
        lab.progress(f"cold starts: round {number + 1} of {rounds}")
        await _round(lab, found)
    return found


async def _round(lab: Lab, found: ColdStarts) -> None:
    gc.collect()
    for variant in VARIANTS:
        answered, init = await _cold_start(lab, variant)
        found.answered[variant.key].append(answered)
        found.init[variant.key].append(init)
    found.answered[FASTMCP_DIRECT].append(await _server_start(lab))
    for key, statement in _STATEMENTS.items():
        elapsed = import_ms(lab.python, lab.packages[OURS.key], statement, OURS.environment)
        found.imports[key].append(elapsed)


async def _cold_start(lab: Lab, variant: Variant) -> tuple[float, float]:
    async with lab.emulated(variant, freeze=True) as emulator:
        connection = await Connection.open(emulator.url)
        answered = await timed_ms(connection, lab.call)
        await connection.close()
        await emulator.idle()
        return answered, emulator.reports[0].init_ms or 0.0


async def _server_start(lab: Lab) -> float:
    began = time.perf_counter()
    async with web_server(lab.python, lab.packages[FASTMCP.key]) as url:
        connection = await connected(url)
        await timed_ms(connection, lab.call)
        elapsed = time.perf_counter() - began
        await connection.close()
    return elapsed * 1000
