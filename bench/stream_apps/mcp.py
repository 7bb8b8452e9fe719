"""This server with a tool that reports progress."""

from bench.stream_apps import EVENTS, moments
from lambda_asgi import LambdaApp
from mcp_app.app import create_app
from mcp_app.settings import Settings
from mcp_app.tools.context import ToolContext
from mcp_app.tools.registry import Registry
from mcp_app.tools.tool import Annotations, Arguments, Result, tool


class Nothing(Arguments):
    """No arguments."""


class Count(Result):
    """How many events there were."""

    events: int = 0


@tool(title="Ticks", annotations=Annotations(read_only=True, open_world=False), streaming=True)
async def ticks(_arguments: Nothing, context: ToolContext) -> Count:
    """Reports progress at intervals."""
    done = 0
    async for moment in moments():
        done += 1
        await context.progress(done, EVENTS, moment)
    return Count(events=done)


app = LambdaApp(create_app(Settings.from_environment(), Registry([ticks])))
