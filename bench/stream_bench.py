"""`python -m bench stream`: how long after it was sent an event reaches the client, through the function URL."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from bench.calls import PATH, Call, tool_call
from bench.facts import facts
from bench.http_client import Connection
from bench.lab import Lab
from bench.packages import ROOT, interpreter, stage
from bench.report import Aim, Report, Row, Section
from bench.stream_apps import EVENTS, INTERVAL_SECONDS
from bench.variants import OURS

DELAY_LIMIT_MS = 20

TITLES = {"raw": "an ASGI app's chunks", "mcp": "a tool's progress"}

_MOMENT = re.compile(rb"at (\d+\.\d+)")


class MergedError(Exception):
    """Events were missing, or arrived together."""


@dataclass(frozen=True)
class Options:
    """What a run may vary: streams of each kind, and the protocol version of the tool calls."""

    rounds: int
    era: str


async def run(options: Options, progress: Callable[[str], None]) -> Report:
    """Stream five events 300 ms apart, again and again, by each of two ways.

    Raises:
        MergedError: an event did not arrive before the next was sent.
        subprocess.CalledProcessError: the package could not be made.
    """
    progress("package")
    packages = {OURS.key: stage(OURS.package)}
    call = tool_call("ticks", {}, options.era, lambda _found: True, {"progressToken": 1})
    lab = Lab(packages, interpreter(), call, progress)
    delays = {kind: await _delays(lab, kind, options.rounds) for kind in TITLES}
    sections = [
        Section(
            "first", "Delay of the first event, ms", [Row(k, TITLES[k], [d[0] for d in delays[k]]) for k in TITLES]
        ),
        Section(
            "all", "Delay of every event, ms", [Row(k, TITLES[k], list(chain.from_iterable(delays[k]))) for k in TITLES]
        ),
    ]
    return Report("stream", facts(packages, vars(options)), sections, aims(sections))


def aims(sections: list[Section]) -> list[Aim]:
    """No event is to be held back."""
    return [
        Aim(f"longest delay, {section.key}, {row.title}", row.summary.maximum, DELAY_LIMIT_MS, "ms")
        for section in sections
        for row in section.rows
    ]


async def _delays(lab: Lab, kind: str, rounds: int) -> list[list[float]]:
    """The delays of each stream's events, in milliseconds, after one uncounted stream."""
    environment = {**OURS.environment, "PYTHONPATH": str(ROOT)}
    variant = replace(OURS, handler=f"bench.stream_apps.{kind}.app", environment=environment)
    streams = []
    async with lab.emulated(variant, freeze=True) as emulator:
        client = await Connection.open(emulator.url)
        for number in range(rounds + 1):
            lab.progress(f"{TITLES[kind]}: {number} of {rounds}")
            streams.append(await _stream(client, lab.call))
        await client.close()
    return streams[1:]


async def _stream(client: Connection, call: Call) -> list[float]:
    events = []
    async for chunk in client.stream(PATH, call.headers, call.body):
        arrived = time.time()
        events += [(float(moment), arrived) for moment in _MOMENT.findall(chunk)]
    if len(events) != EVENTS or any(arrived >= sent for (_, arrived), (sent, _) in pairwise(events)):
        raise MergedError(f"{events} are not {EVENTS} events, {INTERVAL_SECONDS} s apart")
    return [(arrived - sent) * 1000 for sent, arrived in events]
