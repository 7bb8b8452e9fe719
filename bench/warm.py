"""Warm calls: all variants are up, and take turns by blocks of calls."""

import gc
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bench.http_client import Connection
from bench.lab import Lab, Samples, timed_ms
from bench.processes import connected, web_server
from bench.variants import FASTMCP, FASTMCP_DIRECT, VARIANTS
from lambda_asgi.emulator import Emulator

BLOCK = 20

Idle = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class WarmCalls:
    """Milliseconds by variant.

    Attributes:
        seen: from the request to its answer, as the client sees it. The next request waits until the sandbox is idle,
            as between two requests over a network: what a server does after its answer is in `inside` alone.
        inside: the duration that the service reports: from handing over the event until the runtime asks for the next.
    """

    seen: Samples
    inside: Samples


async def measure(lab: Lab, count: int) -> WarmCalls:
    """Measure `count` calls of each variant, after an uncounted block of each."""
    async with AsyncExitStack() as stack:
        emulators = {
            variant.key: await stack.enter_async_context(lab.emulated(variant, freeze=False)) for variant in VARIANTS
        }
        urls = {key: emulator.url for key, emulator in emulators.items()}
        urls[FASTMCP_DIRECT] = await stack.enter_async_context(web_server(lab.python, lab.packages[FASTMCP.key]))
        clients = {key: await connected(url) for key, url in urls.items()}
        settled = {key: emulator.idle for key, emulator in emulators.items()}
        await _take_turns(lab, clients, settled, BLOCK)
        await _reported(emulators)
        seen = await _take_turns(lab, clients, settled, count)
        inside = await _reported(emulators)
        for client in clients.values():
            await client.close()
    return WarmCalls(seen, inside)


async def _take_turns(lab: Lab, clients: Mapping[str, Connection], settled: Mapping[str, Idle], count: int) -> Samples:
    seen: dict[str, list[float]] = {key: [] for key in clients}
    for begin in range(0, count, BLOCK):
        lab.progress(f"warm calls: {begin} of {count}")
        gc.collect()
        for key, client in clients.items():
            for _ in range(min(BLOCK, count - begin)):
                seen[key].append(await timed_ms(client, lab.call))
                if key in settled:
                    await settled[key]()
    return seen


async def _reported(emulators: Mapping[str, Emulator]) -> Samples:
    for emulator in emulators.values():
        await emulator.idle()
    durations = {key: [report.duration_ms for report in emulator.reports] for key, emulator in emulators.items()}
    for emulator in emulators.values():
        emulator.reports.clear()
    return durations
