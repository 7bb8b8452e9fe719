"""The product's app with three more tools: one that streams, one that takes its time, one that counts what is alive."""

import asyncio
import gc
import os
import resource
import time
from pathlib import Path

import mcp_app.tools.utility
from lambda_asgi import LambdaApp
from mcp_app.app import create_app
from mcp_app.settings import Settings
from mcp_app.tools.context import ToolContext
from mcp_app.tools.registry import Registry, discover
from mcp_app.tools.tool import Annotations, Arguments, Result, tool

HINTS = Annotations(read_only=True, open_world=False)


class TicksArguments(Arguments):
    count: int = 5
    seconds: float = 0.3


class Ticks(Result):
    sent: list[float]


@tool(title="Ticks", annotations=HINTS, streaming=True)
async def ticks(arguments: TicksArguments, context: ToolContext) -> Ticks:
    """Reports progress at intervals; each message is the epoch second of its sending."""
    sent = []
    for number in range(arguments.count):
        sent.append(time.time())
        await context.progress(number + 1, arguments.count, repr(sent[-1]))
        await asyncio.sleep(arguments.seconds)
    return Ticks(sent=sent)


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
