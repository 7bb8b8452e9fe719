"""The tools' reference says what the registry says, and its messages and examples are the real ones."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mcp_app.tools.context import RequestInfo
from tests.support.calls import REGISTRY, call, clients, text_of
from tests.support.openai import OpenAIDouble
from tests.support.weather import WeatherDouble

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/tools.md").read_text()
SECTIONS: dict[str, str] = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
NAMES = [tool.name for tool in REGISTRY.tools]


def rows(section: str, first: str) -> list[list[str]]:
    """The cells of the table whose first column is headed so."""
    table = re.search(rf"^\| {first} \|.*\n\| ---.*\n((?:\|.*\n)+)", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[1].splitlines()] if table else []


def type_of(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(part["type"] for part in schema["anyOf"])
    return " or ".join(schema["type"]) if isinstance(schema["type"], list) else str(schema["type"])


def test_it_has_each_tool_in_the_registrys_order() -> None:
    assert list(SECTIONS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_those_of_the_schema(name: str) -> None:
    schema = REGISTRY.get(name).input_schema
    assert rows(SECTIONS[name], "argument") == [
        [f"`{field}`", type_of(item), "yes" if field in schema.get("required", ()) else "no", item["description"]]
        for field, item in schema["properties"].items()
    ]


@pytest.mark.parametrize("name", NAMES)
def test_results_are_those_of_the_schema(name: str) -> None:
    schema = REGISTRY.get(name).output_schema
    assert schema is not None
    found = {row[0].strip("`"): row[1:] for row in rows(SECTIONS[name], "result")}
    assert list(found) == list(schema["properties"])
    for field, item in schema["properties"].items():
        assert found[field][0] == type_of(item)
        assert found[field][1] == item.get("description", found[field][1])


@pytest.mark.anyio
@pytest.mark.parametrize("name", NAMES)
async def test_the_example_gives_the_text_that_is_shown(name: str) -> None:
    arguments, text = re.findall(r"```(?:json|text)\n(.*?)\n```", SECTIONS[name], re.DOTALL)
    jsonschema.validate(json.loads(arguments), REGISTRY.get(name).input_schema)
    headers = {
        "host": "mcpx.lol",
        "user-agent": "Mozilla/5.0...",
        "accept": "application/json",
        "x-forwarded-for": "203.0.113.42",
    }
    request = RequestInfo(path="/mcp/v1/messages", headers=tuple(headers.items()))
    async with clients(OpenAIDouble(), WeatherDouble(), openai_api_key="sk-good") as made:
        assert text_of(await call(name, json.loads(arguments), made, request=request)) == text


@pytest.mark.parametrize("message", [row[1] for name in NAMES for row in rows(SECTIONS.get(name, ""), "when")])
def test_the_messages_are_asserted_by_some_test(message: str) -> None:
    tests = (ROOT / "tests/mcp_app").rglob("test_*.py")
    stem = message.removeprefix("The National Weather Service").removeprefix("OpenWeatherMap").strip()
    assert any(stem in path.read_text() for path in tests)
