"""The product's app with three more tools: one that streams, one that takes its time, one that counts what is alive."""

import asyncio
import gc
import os
import resource
from pathlib import Path

import mcp_app.tools.utility
from lambda_asgi import LambdaApp
from mcp_app.app import create_app
from mcp_app.settings import Settings
from mcp_app.tools.context import ToolContext
from mcp_app.tools.registry import Registry, discover
from mcp_app.tools.tool import Annotations, Arguments, Result, tool
from tests.support.gate import wait_at

HINTS = Annotations(read_only=True, open_world=False)


class TicksArguments(Arguments):
    gate: int


class Ticks(Result):
    sent: int


@tool(title="Ticks", annotations=HINTS, streaming=True)
async def ticks(arguments: TicksArguments, context: ToolContext) -> Ticks:
    """Reports progress five times, and waits each time at a gate."""
    for number in range(5):
        await context.progress(number + 1, 5, None)
        await wait_at(arguments.gate)
    return Ticks(sent=5)


class SlowEchoArguments(Arguments):
    message: str
    seconds: float


class SlowEcho(Result):
    message: str
    pid: int


@tool(title="Slow echo", annotations=HINTS)
async def slow_echo(arguments: SlowEchoArguments, _context: ToolContext) -> SlowEcho:
    """Echoes after a while."""
    await asyncio.sleep(arguments.seconds)
    return SlowEcho(message=arguments.message, pid=os.getpid())


class Nothing(Arguments):
    pass


class Census(Result):
    tasks: int
    files: int
    objects: int
    resident: int
    pid: int


@tool(title="Census", annotations=HINTS)
async def census(_arguments: Nothing, _context: ToolContext) -> Census:
    """Counts tasks, open files, Python objects and resident bytes of the sandbox."""
    return _count(tasks=len(asyncio.all_tasks()))


def _count(tasks: int) -> Census:
    gc.collect()
    return Census(
        tasks=tasks,
        files=len(list(Path("/proc/self/fd").iterdir())),
        objects=len(gc.get_objects()),
        resident=int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize(),
        pid=os.getpid(),
    )


registry = Registry([*discover(mcp_app.tools.utility), ticks, slow_echo, census])
app = LambdaApp(create_app(Settings.from_environment(), registry))
