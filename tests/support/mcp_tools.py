"""A registry of tools that misbehave, report, ask and reveal what they were told."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from mcp_app.tools.content import Content, InputRequest, NeedsInput, Text
from mcp_app.tools.context import ToolContext
from mcp_app.tools.registry import Registry
from mcp_app.tools.tool import Annotations, Arguments, Result, ToolError, tool
from mcp_app.tools.utility.echo import echo

SECRET_INSIDE = "postgres://user:hunter2@db/prod"
READS = Annotations(read_only=True, open_world=False)


class Nothing(Arguments):
    """No arguments."""


class Reading(Result):
    """A result with a number that may be missing."""

    celsius: float | None
    station: str


@tool(title="Reading", annotations=READS, name="weather.reading", scopes=["weather:read"])
async def reading(_arguments: Nothing, _context: ToolContext) -> Reading:
    """A reading whose number is missing."""
    return Reading(celsius=None, station="KNYC")


@tool(title="Broken", annotations=READS)
async def broken(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """Fails for a reason that nobody outside may learn."""
    raise ValueError(SECRET_INSIDE)


@tool(title="Refusing", annotations=READS)
async def refusing(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """Fails with a message for the caller."""
    raise ToolError("The moon is not in the right phase. Try again tomorrow.")


@tool(title="Working", annotations=READS, streaming=True)
async def working(_arguments: Nothing, context: ToolContext) -> Sequence[Content]:
    """Reports progress and logs while it works."""
    await context.progress(1, 2, "half way")
    await context.log("debug", "a detail")
    await context.log("info", "an event")
    await context.log("error", {"what": "went wrong"})
    await context.progress(2, 2, "done")
    return [Text("worked")]


@tool(title="Hanging", annotations=READS)
async def hanging(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """Never ends by itself."""
    await asyncio.Event().wait()
    return []


class Told(Result):
    """What a tool was told of its call."""

    subject: str
    remaining: float
    extra: dict[str, Any]
    headers: list[tuple[str, str]]
    method: str
    path: str


@tool(title="Telling", annotations=READS)
async def telling(_arguments: Nothing, context: ToolContext) -> Told:
    """Reveals its context."""
    return Told(
        subject=context.principal.subject,
        remaining=context.deadline.remaining(),
        extra=dict(context.extra),
        headers=list(context.request.headers),
        method=context.request.method,
        path=context.request.path,
    )


class Region(Arguments):
    """An argument that clients mirror in a header."""

    region: str = Field(json_schema_extra={"x-mcp-header": "Region"})


@tool(title="Mirrored", annotations=READS)
async def mirrored(arguments: Region, _context: ToolContext) -> Sequence[Content]:
    """Takes an argument that is mirrored in a header."""
    return [Text(arguments.region)]


class Topic(Arguments):
    """What a question is about."""

    topic: str = "name"


@tool(title="Asking", annotations=READS)
async def asking(arguments: Topic, context: ToolContext) -> Sequence[Content] | NeedsInput:
    """Asks for a value, and remembers how often it asked."""
    answer = context.answers.get("value")
    if answer is not None and context.state is not None:
        return [Text(f"{context.state}: {answer['content']['value']}")]
    schema = {"type": "object", "properties": {"value": {"type": "string"}}, "required": ["value"]}
    question = InputRequest("elicitation/create", {"message": arguments.topic, "requestedSchema": schema})
    return NeedsInput({"value": question}, "asked once")


REGISTRY = Registry([echo, reading, broken, refusing, working, hanging, telling, mirrored, asking])
