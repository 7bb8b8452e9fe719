"""The tools, prompts and resources that the official conformance suite calls, as its scenarios describe them."""

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import Field

from mcp_app.tools.content import Audio, Content, EmbeddedResource, Image, InputRequest, NeedsInput, Text
from mcp_app.tools.context import ToolContext
from mcp_app.tools.registry import Registry
from mcp_app.tools.resource import Prompt, PromptArgument, PromptMessage, Resource, ResourceTemplate
from mcp_app.tools.tool import Annotations, Arguments, Tool, ToolError, tool

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
SILENCE = base64.b64decode("UklGRiQAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQAAAAA=")

fixture = partial(tool, title="Conformance fixture", annotations=Annotations(read_only=True, open_world=False))


class Nothing(Arguments):
    """No arguments."""


class PromptText(Arguments):
    """What to ask the client's model."""

    prompt: str


class MessageText(Arguments):
    """What to ask the client's user."""

    message: str


@fixture(name="test_simple_text")
async def simple_text(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """One text block."""
    return [Text("This is a simple text response for testing.")]


@fixture(name="test_image_content")
async def image_content(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """One image."""
    return [Image(PIXEL, "image/png")]


@fixture(name="test_audio_content")
async def audio_content(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """One sound."""
    return [Audio(SILENCE, "audio/wav")]


@fixture(name="test_embedded_resource")
async def embedded_resource(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """One resource inside the result."""
    return [EmbeddedResource("test://embedded-resource", "This is an embedded resource content.", "text/plain")]


@fixture(name="test_multiple_content_types")
async def multiple_content_types(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """Text, image and resource in one result."""
    document = json.dumps({"test": "data", "value": 123})
    return [
        Text("Multiple content types test:"),
        Image(PIXEL, "image/png"),
        EmbeddedResource("test://mixed-content-resource", document, "application/json"),
    ]


@fixture(name="test_tool_with_logging", streaming=True)
async def tool_with_logging(_arguments: Nothing, context: ToolContext) -> Sequence[Content]:
    """Three log messages on the way."""
    for message in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.log("info", message)
        await asyncio.sleep(0.05)
    return [Text("Tool with logging executed successfully")]


@fixture(name="test_logging_tool", streaming=True)
async def logging_tool(_arguments: Nothing, context: ToolContext) -> Sequence[Content]:
    """A log message that only a request with a log level may see."""
    await context.log("info", "This is a log message")
    return [Text("Logged")]


@fixture(name="test_tool_with_progress", streaming=True)
async def tool_with_progress(_arguments: Nothing, context: ToolContext) -> Sequence[Content]:
    """Three reports of progress on the way."""
    for done in (0, 50, 100):
        await context.progress(done, 100, f"Completed step {done} of 100")
        await asyncio.sleep(0.05)
    return [Text("Tool with progress executed successfully")]


@fixture(name="test_error_handling")
async def error_handling(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """Always fails."""
    raise ToolError("This tool intentionally returns an error for testing")


def elicitation(message: str, **properties: Any) -> InputRequest:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return InputRequest("elicitation/create", {"message": message, "requestedSchema": schema})


def sampling(question: str, max_tokens: int = 100) -> InputRequest:
    messages = [{"role": "user", "content": {"type": "text", "text": question}}]
    return InputRequest("sampling/createMessage", {"messages": messages, "maxTokens": max_tokens})


ROOTS = InputRequest("roots/list", {})
NAME = elicitation("What is your name?", name={"type": "string"})
CONFIRM = elicitation("Please confirm", ok={"type": "boolean"})


def needing(name: str, arguments: type[Arguments] = Nothing, *, state: str | None = None, **requests: Any) -> Tool[Any]:
    """A tool that asks questions (or what makes them of its arguments) and repeats the answers."""

    async def ask(given: Arguments, context: ToolContext) -> Sequence[Content] | NeedsInput:
        if context.state == state and requests.keys() <= context.answers.keys():
            return [Text(f"{state or 'stateless'}: {json.dumps(dict(context.answers))}")]
        made = {key: request(given) if callable(request) else request for key, request in requests.items()}
        return NeedsInput(made, state)

    ask.__annotations__["given"] = arguments
    ask.__doc__ = "Asks the client for input."
    return fixture(name=name)(ask)


@fixture(name="test_input_required_result_multi_round")
async def input_required_result_multi_round(
    _arguments: Nothing, context: ToolContext
) -> Sequence[Content] | NeedsInput:
    """Two rounds of questions."""
    match context.state, list(context.answers):
        case "round 1", ["step1"]:
            color = elicitation("Step 2: What is your favorite color?", color={"type": "string"})
            return NeedsInput({"step2": color}, "round 2")
        case "round 2", ["step2"]:
            return [Text("All rounds done")]
        case _:
            return NeedsInput({"step1": elicitation("Step 1: What is your name?", name={"type": "string"})}, "round 1")


@fixture(name="test_input_required_result_capabilities")
async def input_required_result_capabilities(
    _arguments: Nothing, context: ToolContext
) -> Sequence[Content] | NeedsInput:
    """Asks only for what the client can be asked for."""
    possible = {"elicitation": NAME, "sampling": sampling("What is the capital of France?")}
    return NeedsInput({key: request for key, request in possible.items() if key in context.capabilities})


class Mirrored(Arguments):
    """An argument that clients mirror in the header `Mcp-Param-Region`."""

    region: str = Field(json_schema_extra={"x-mcp-header": "Region"})


@fixture(name="test_mirrored_header")
async def mirrored_header(arguments: Mirrored, _context: ToolContext) -> Sequence[Content]:
    """Takes an argument that is mirrored in a header."""
    return [Text(arguments.region)]


class Contact(Arguments):
    """What `CONTACT_SCHEMA` describes, as far as a model can."""

    name: str | None = None
    address: dict[str, str] | None = None
    contactMethod: str | None = None  # noqa: N815 (the suite's name)
    phone: str | None = None
    email: str | None = None


TEXT = {"type": "string"}
CONTACT_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {"$anchor": "addressDef", "type": "object", "properties": {"street": TEXT, "city": TEXT}},
    },
    "properties": {
        "name": TEXT,
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": TEXT,
        "email": TEXT,
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


@fixture(name="json_schema_2020_12_tool", schema=CONTACT_SCHEMA)
async def contact(_arguments: Contact, _context: ToolContext) -> Sequence[Content]:
    """Tool with JSON Schema 2020-12 features."""
    return [Text("Noted")]


DEFAULTS = elicitation(
    "Please review the defaults",
    name={"type": "string", "default": "John Doe"},
    age={"type": "integer", "default": 30},
    score={"type": "number", "default": 95.5},
    status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    verified={"type": "boolean", "default": True},
)
CHOICES = elicitation("Please choose", untitledSingle={"type": "string", "enum": ["option1", "option2"]})
USER = {"username": {"type": "string"}, "email": {"type": "string"}}

TOOLS = (
    simple_text,
    image_content,
    audio_content,
    embedded_resource,
    multiple_content_types,
    tool_with_logging,
    logging_tool,
    tool_with_progress,
    error_handling,
    mirrored_header,
    contact,
    input_required_result_multi_round,
    input_required_result_capabilities,
    needing("test_sampling", PromptText, answer=lambda given: sampling(given.prompt)),
    needing("test_elicitation", MessageText, answer=lambda given: elicitation(given.message, **USER)),
    needing("test_elicitation_sep1034_defaults", answer=DEFAULTS),
    needing("test_elicitation_sep1330_enums", answer=CHOICES),
    needing("test_missing_capability", answer=sampling("Anything")),
    needing("test_streaming_elicitation", answer=NAME),
    needing("test_input_required_result_elicitation", user_name=NAME),
    needing("test_input_required_result_sampling", capital_question=sampling("What is the capital of France?")),
    needing("test_input_required_result_list_roots", client_roots=ROOTS),
    needing("test_input_required_result_request_state", state="state-ok", confirm=CONFIRM),
    needing("test_input_required_result_tampered_state", state="integrity", confirm=CONFIRM),
    needing(
        "test_input_required_result_multiple_inputs",
        state="several",
        user_name=NAME,
        greeting=sampling("Generate a greeting", 50),
        client_roots=ROOTS,
    ),
)


async def simple_prompt(_arguments: Mapping[str, str], _context: ToolContext) -> Sequence[PromptMessage]:
    return [PromptMessage("user", Text("This is a simple prompt for testing."))]


async def prompt_with_arguments(arguments: Mapping[str, str], _context: ToolContext) -> Sequence[PromptMessage]:
    text = f"Prompt with arguments: arg1='{arguments['arg1']}', arg2='{arguments['arg2']}'"
    return [PromptMessage("user", Text(text))]


async def prompt_with_resource(arguments: Mapping[str, str], _context: ToolContext) -> Sequence[PromptMessage]:
    embedded = EmbeddedResource(arguments["resourceUri"], "Embedded resource content for testing.", "text/plain")
    return [
        PromptMessage("user", embedded),
        PromptMessage("user", Text("Please process the embedded resource above.")),
    ]


async def prompt_with_image(_arguments: Mapping[str, str], _context: ToolContext) -> Sequence[PromptMessage]:
    return [
        PromptMessage("user", Image(PIXEL, "image/png")),
        PromptMessage("user", Text("Please analyze the image above.")),
    ]


async def prompt_with_question(
    _arguments: Mapping[str, str], context: ToolContext
) -> Sequence[PromptMessage] | NeedsInput:
    answer = context.answers.get("user_context")
    if answer is None:
        question = elicitation("What context should the prompt use?", context={"type": "string"})
        return NeedsInput({"user_context": question})
    return [PromptMessage("user", Text(f"Context: {json.dumps(answer)}"))]


def required(name: str, *suggestions: str) -> PromptArgument:
    return PromptArgument(name, description="Test argument", required=True, suggestions=suggestions)


PROMPTS = (
    Prompt(name="test_simple_prompt", description="Conformance fixture", render=simple_prompt),
    Prompt(
        name="test_prompt_with_arguments",
        description="Conformance fixture",
        render=prompt_with_arguments,
        arguments=(required("arg1", "test one", "test two", "another"), required("arg2")),
    ),
    Prompt(
        name="test_prompt_with_embedded_resource",
        description="Conformance fixture",
        render=prompt_with_resource,
        arguments=(required("resourceUri"),),
    ),
    Prompt(name="test_prompt_with_image", description="Conformance fixture", render=prompt_with_image),
    Prompt(name="test_input_required_result_prompt", description="Conformance fixture", render=prompt_with_question),
)


async def static_text() -> str:
    return "This is the content of the static text resource."


async def static_binary() -> bytes:
    return PIXEL


async def template_data(values: Mapping[str, str]) -> str:
    return json.dumps({"id": values["id"], "templateTest": True, "data": f"Data for ID: {values['id']}"})


RESOURCES = (
    Resource(uri="test://static-text", name="Static text", read=static_text, mime_type="text/plain"),
    Resource(uri="test://static-binary", name="Static binary", read=static_binary, mime_type="image/png"),
    Resource(uri="test://watched-resource", name="Watched", read=static_text, mime_type="text/plain", constant=True),
)
TEMPLATES = (
    ResourceTemplate(
        uri_template="test://template/{id}/data", name="Data", read=template_data, mime_type="application/json"
    ),
)

REGISTRY = Registry(TOOLS, RESOURCES, TEMPLATES, PROMPTS)
