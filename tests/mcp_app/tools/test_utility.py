"""What holds for every utility tool."""

import json

import jsonschema
import pytest

from mcp_app.tools.outcome import Status
from tests.support.calls import REGISTRY, call, clients
from tests.support.openai import OpenAIDouble
from tests.support.weather import WeatherDouble

TOOLS = ("echo", "get_request_info", "get_source_ip", "get_weather", "web_search")


def listing() -> list[dict[str, object]]:
    return [
        {
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "inputSchema": tool.input_schema,
            "outputSchema": tool.output_schema,
            "annotations": {
                "title": tool.title,
                "readOnlyHint": tool.annotations.read_only,
                "destructiveHint": tool.annotations.destructive,
                "idempotentHint": tool.annotations.idempotent,
                "openWorldHint": tool.annotations.open_world,
            },
        }
        for tool in REGISTRY.tools
    ]


def test_the_five_tools_are_found() -> None:
    assert sorted(tool.name for tool in REGISTRY.tools) == sorted(TOOLS)


def test_the_listing_is_small() -> None:
    assert len(json.dumps(listing()).encode()) < 8_192


@pytest.mark.parametrize("name", TOOLS)
def test_a_listing_is_one_that_clients_show(name: str) -> None:
    tool = REGISTRY.get(name)
    assert tool.input_schema["type"] == "object"
    assert tool.input_schema["additionalProperties"] is False
    assert "$ref" not in json.dumps(tool.input_schema)
    assert "$defs" not in json.dumps(tool.output_schema)
    assert len(tool.description) > 60
    assert tool.title != tool.name
    jsonschema.Draft202012Validator.check_schema(tool.input_schema)
    jsonschema.Draft202012Validator.check_schema(tool.output_schema)


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.anyio
async def test_the_examples_work_and_results_conform(name: str) -> None:
    tool = REGISTRY.get(name)
    assert tool.examples
    async with clients(OpenAIDouble(), WeatherDouble(), openai_api_key="sk-good") as made:
        for example in tool.examples:
            jsonschema.validate(example, tool.input_schema)
            outcome = await call(name, example, made)
            assert outcome.status is Status.OK
            jsonschema.validate(outcome.structured, tool.output_schema)
            assert json.dumps(outcome.structured, allow_nan=False)


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.anyio
async def test_unknown_arguments_are_refused(name: str) -> None:
    async with clients() as made:
        outcome = await call(name, {**REGISTRY.get(name).examples[0], "surprise": 1}, made)
    assert outcome.status is Status.INVALID
