"""The tools' reference says what the registry says, and its messages and examples are the real ones."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from auth.principal import ANONYMOUS
from mcp_app.clients.credentials import KeyUnreadableError
from mcp_app.clients.errors import (
    BrokenError,
    BrokenOffError,
    DeniedError,
    NotConfiguredError,
    NotFoundError,
    OddAnswerError,
    RateLimitedError,
    RejectedKeyError,
    SignInAgainError,
    SlowError,
    UnreachableError,
    UpstreamError,
)
from mcp_app.clients.neonpanel import errors, service_token
from mcp_app.clients.neonpanel.errors import SERVICE
from mcp_app.settings import Settings
from mcp_app.tools.catalogue import catalogue
from mcp_app.tools.context import RequestInfo
from sandbox import Sandbox, running
from tests.support.calls import call, clients, text_of
from tests.support.neonpanel import Tools, tools
from tests.support.openai import OpenAIDouble
from tests.support.weather import WeatherDouble

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/tools.md").read_text()
NEONPANEL_PAGE = (ROOT / "docs/reference/neonpanel-tools.md").read_text()
REGISTRY = catalogue(Settings(neonpanel_tools=True))
NAMES = [tool.name for tool in REGISTRY.tools]
NEONPANEL = [name for name in NAMES if name.startswith("neonpanel.")]
UTILITY = [name for name in NAMES if name not in NEONPANEL]
OF_TODAY = {"checkImportStatus", "createDocuments", "createDocumentsByPdf", "planPurchase", "searchOrders"}
"""Tools whose results have other values each day or each time."""


def sections(page: str, name: str) -> dict[str, str]:
    """A page's sections whose headings are names like that."""
    return dict(re.findall(rf"^## ({name})\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))


SECTIONS = sections(PAGE, r"\w+") | sections(NEONPANEL_PAGE, r"neonpanel\.\w+")


def rows(section: str, first: str) -> list[list[str]]:
    """The cells of the table whose first column is headed so."""
    table = re.search(rf"^\| {first} \|.*\n\| ---.*\n((?:\|.*\n)+)", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[1].splitlines()] if table else []


def type_of(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(part["type"] for part in schema["anyOf"])
    return " or ".join(schema["type"]) if isinstance(schema["type"], list) else str(schema["type"])


def meanings(first: str, name: str, fields: dict[str, Any]) -> Iterator[str]:
    """What the page must say of each field: what its schema says, or anything where that says nothing."""
    said = {row[0].strip("`"): row[-1] for row in rows(SECTIONS[name], first)}
    return (item.get("description") or said.get(field) or "a meaning" for field, item in fields.items())


def test_it_has_each_tool_in_the_registrys_order() -> None:
    assert list(SECTIONS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_those_of_the_schema(name: str) -> None:
    schema = REGISTRY.get(name).input_schema
    assert rows(SECTIONS[name], "argument") == [
        [f"`{field}`", type_of(item), "yes" if field in schema.get("required", ()) else "no", meaning]
        for (field, item), meaning in zip(
            schema["properties"].items(), meanings("argument", name, schema["properties"]), strict=True
        )
    ]


@pytest.mark.parametrize("name", NAMES)
def test_results_are_those_of_the_schema(name: str) -> None:
    schema = REGISTRY.get(name).output_schema
    assert schema is not None
    fields = schema["properties"]
    assert rows(SECTIONS[name], "result") == [
        [f"`{field}`", type_of(item), meaning]
        for (field, item), meaning in zip(fields.items(), meanings("result", name, fields), strict=True)
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("name", UTILITY)
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


@pytest.mark.parametrize("name", NEONPANEL)
def test_a_section_says_whose_rights_the_tool_has_and_what_it_needs(name: str) -> None:
    guarded = catalogue(Settings(neonpanel_tools=True, tool_scopes=True)).get(name)
    scopes = ", ".join(f"`{scope}`" for scope in sorted(guarded.scopes)) or "none"
    does = "Reads" if guarded.annotations.read_only else "Writes"
    assert f"\nRights: {guarded.auth}. Scope: {scopes}. {does}." in SECTIONS[name]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running() as made:
        yield made


@pytest.fixture
async def neonpanel(sandbox: Sandbox) -> AsyncIterator[Tools]:
    async with tools(sandbox) as made:
        yield made


def agrees(shown: Any, told: Any, *, exactly: bool) -> bool:
    """Whether what is shown is part of what was told; where not exactly, the values may be others of their kind."""
    if isinstance(shown, dict) and isinstance(told, dict):
        return all(name in told and agrees(value, told[name], exactly=exactly) for name, value in shown.items())
    if isinstance(shown, list) and isinstance(told, list):
        pairs = zip(shown, told, strict=False)
        return len(shown) <= len(told) and all(agrees(value, other, exactly=exactly) for value, other in pairs)
    return shown == told if exactly else type(shown) is type(told)


async def with_an_import(arguments: dict[str, Any], neonpanel: Tools) -> dict[str, Any]:
    """The arguments with the id of an import that is done, where they ask for one."""
    if "requestId" not in arguments:
        return arguments
    begun = json.loads(examples("neonpanel.createDocumentsByPdf")[0])
    made = {**arguments, "requestId": (await neonpanel.result("createDocumentsByPdf", begun))["request_id"]}
    assert (await neonpanel.result("checkImportStatus", made))["status"] == "processing"
    return made


def examples(name: str) -> list[str]:
    """A section's arguments, and what comes of them."""
    found = re.findall(r"```(?:json|text)\n(.*?)\n```", SECTIONS[name], re.DOTALL)
    assert len(found) == 2
    return list(found)


@pytest.mark.anyio
@pytest.mark.parametrize("name", [name.removeprefix("neonpanel.") for name in NEONPANEL])
async def test_the_sandbox_answers_the_example_as_shown(name: str, neonpanel: Tools) -> None:
    given, shown = examples(f"neonpanel.{name}")
    jsonschema.validate(json.loads(given), REGISTRY.get(f"neonpanel.{name}").input_schema)
    outcome = await neonpanel.call(name, await with_an_import(json.loads(given), neonpanel))
    assert not outcome.is_error
    if shown.startswith("|"):
        assert text_of(outcome) == shown
    else:
        assert agrees(json.loads(shown), outcome.structured, exactly=name not in OF_TODAY)


ERRORS: list[UpstreamError] = [
    SignInAgainError(SERVICE),
    errors.NoUserError(SERVICE),
    errors.MissingRightError("read:cogs", scope=False),
    errors.MissingRightError("write:purchase-plans", scope=True),
    errors.NoAccessError(SERVICE),
    DeniedError(SERVICE),
    errors.NothingThereError(SERVICE),
    NotFoundError(SERVICE),
    errors.NotOfferedError("purchase plans"),
    errors.InvalidRequestError(422, {"page": "is too small or too early"}),
    errors.InvalidRequestError(400, {}),
    RateLimitedError(SERVICE, 59),
    BrokenError(SERVICE),
    SlowError(SERVICE),
    UnreachableError(SERVICE),
    BrokenOffError(SERVICE),
    OddAnswerError(SERVICE),
    errors.NotAcceptedError(SERVICE),
    errors.UnconfirmedError(SERVICE),
    NotConfiguredError(SERVICE, service_token.SECRET, service_token.ARN),
    NotConfiguredError(
        f"{SERVICE} with a user's own rights", "NEONPANEL_USER_JWT_URL", "NEONPANEL_TOKEN_INTROSPECT_URL"
    ),
    RejectedKeyError(SERVICE, service_token.SECRET),
    service_token.NotIssuedError(SERVICE),
    KeyUnreadableError(SERVICE),
]


def test_every_error_is_in_the_table_with_its_code_and_its_sentence() -> None:
    found = [[code.strip("`"), message] for code, _, message in rows(NEONPANEL_PAGE, "code")]
    assert found == [[error.code, str(error)] for error in ERRORS]


def test_no_error_of_neonpanels_is_left_out() -> None:
    own = {
        kind
        for module in (errors, service_token)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, UpstreamError) and kind.__module__ == module.__name__
    }
    assert own <= {type(error) for error in ERRORS}


@pytest.mark.anyio
async def test_whoever_did_not_sign_in_is_told_so_in_the_tables_words(neonpanel: Tools) -> None:
    outcome = await neonpanel.call("listCompanies", who=ANONYMOUS)
    assert ["`no_user`", "none", text_of(outcome)] in rows(NEONPANEL_PAGE, "code")
