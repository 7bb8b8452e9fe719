"""The settings' reference and `.env.example` say what the settings are: all of them, and nothing else."""

import ast
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from mcp_app.provider_settings import PRESETS
from mcp_app.settings import Settings
from mcp_app.version import VERSION

ROOT = Path(__file__).parents[1]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
FIELDS = {field.name: field for field in Settings.fields()}
# Read where the settings' own variables are unset.
STAND_IN = {field.also for field in FIELDS.values() if field.also}

# The names that the requirements spell out; operators have them in their deployments.
REQUIRED = [
    "NODE_ENV",
    "PORT",
    "NEONPANEL_OAUTH_ISSUER",
    "NEONPANEL_OAUTH_JWKS_URI",
    "NEONPANEL_OAUTH_EXPECTED_AUDIENCE",
    "NEONPANEL_OAUTH_REQUIRED_SCOPES",
    "NEONPANEL_API_BASE",
    "NEONPANEL_OAUTH_TOKEN_URL",
    "NEONPANEL_CLIENT_ID",
    "NEONPANEL_CLIENT_SECRET",
    "NEONPANEL_IAT_SCOPE",
    "NEONPANEL_IAT_AUDIENCE",
    "NEONPANEL_TOKEN_INTROSPECT_URL",
    "NEONPANEL_USER_JWT_URL",
    "SSE_HEARTBEAT_MS",
    "LOG_LEVEL",
    "MCP_SERVER_HOST",
    "MCP_SERVER_PORT",
    "MCP_SERVER_NAME",
    "AUTH_MODE",
    "AUTH_DB_PATH",
    "JWT_SECRET_KEY",
    "JWT_ACCESS_TOKEN_EXPIRE_MINUTES",
    "JWT_REFRESH_TOKEN_EXPIRE_DAYS",
    "OPENAI_API_KEY",
    "WEATHER_API_KEY",
    "CERTBOT_EMAIL",
    "LOG_FORMAT",
]


def env_example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def reference() -> dict[str, tuple[str, str]]:
    rows = re.findall(
        r"^\| `(\w+)` \| (.*?) \| (.*) \|$", (ROOT / "docs/reference/settings.md").read_text(), re.MULTILINE
    )
    assert len(rows) == len({name for name, _, _ in rows})
    return {name: (default, description) for name, default, description in rows}


def as_text(default) -> str:
    if not default and not isinstance(default, bool | int | float):
        return ""
    if isinstance(default, tuple):
        return " ".join(default)
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_the_example_has_every_setting_once_with_its_default():
    names = re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(names) == len(set(names))
    # Whoever copies it and names a preset would otherwise override what the preset is for.
    preset = {attribute for values in PRESETS.values() for attribute in values}
    defaults = {name: "" if field.attribute in preset else as_text(field.default) for name, field in FIELDS.items()}
    assert env_example() == defaults | dict.fromkeys(STAND_IN, "")


def test_the_example_is_an_environment_that_changes_nothing():
    settings = Settings.from_environment(env_example())
    assert {name: getattr(settings, field.attribute) for name, field in FIELDS.items()} == {
        name: field.default for name, field in FIELDS.items()
    }


def test_the_example_explains_every_setting():
    text = re.sub(r"\n# ", " ", (ROOT / ".env.example").read_text().replace("\n\n", "\n\n\n"))
    for name, field in FIELDS.items():
        assert re.search(rf"{re.escape(field.description)}\n{name}=", text), name


def test_the_reference_has_every_setting_as_it_is():
    documented = reference()
    assert documented.keys() == FIELDS.keys() | STAND_IN
    for name, field in FIELDS.items():
        default = as_text(field.default)
        assert documented[name] == (f"`{default}`" if default else "unset", field.description)


@pytest.mark.parametrize("name", REQUIRED)
def test_every_name_of_the_requirements_is_a_setting(name):
    assert name in FIELDS.keys() | STAND_IN
    assert name in env_example()


def used_names() -> set[str]:
    """Every attribute and every word in the code outside the settings; secrets are looked up by their names as text."""
    paths = [path for path in (ROOT / "src").rglob("*.py") if not path.name.endswith(("settings.py", "variable.py"))]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    texts = {node.value.lower() for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return attributes | texts


def test_a_setting_works_or_says_what_it_waits_for():
    used = used_names()
    idle = {name for name, field in FIELDS.items() if field.attribute not in used}
    waiting = {name for name, field in FIELDS.items() if "Takes effect with " in field.description}
    assert idle == waiting


def reported_events() -> dict[str, tuple[bool, set[str]]]:
    """Each event in the code: whether it is alarming, and the details that are spelled out where it is made."""
    found: dict[str, tuple[bool, set[str]]] = {}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Event" and node.args:
                name, details = ast.literal_eval(node.args[0]), node.args[1]
                keys = details.keys if isinstance(details, ast.Dict) else []
                alarming, known = found.get(name, (False, set()))
                spelled = {key.value for key in keys if isinstance(key, ast.Constant)}
                found[name] = (alarming or bool(node.keywords), known | spelled)
    return found


def test_the_reference_has_every_event_that_the_code_reports():
    rows = re.findall(
        r"^\| `(\w+)` \| (yes|no) \| (.*?) \| .+ \|$", (ROOT / "docs/reference/events.md").read_text(), re.MULTILINE
    )
    documented = {name: (alarming == "yes", set(re.findall(r"`(\w+)`", details))) for name, alarming, details in rows}
    reported = reported_events()
    assert {name: alarming for name, (alarming, _) in documented.items()} == {
        name: alarming for name, (alarming, _) in reported.items()
    }
    for name, (_, details) in reported.items():
        assert details <= documented[name][1], name


def test_the_version_is_the_projects():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def json_blocks(document: str) -> list[Any]:
    """The JSON in a document's fenced blocks."""
    blocks = re.findall(r"^( *)```json\n(.*?)\n\1```$", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)
    return [json.loads(body) for _, body in blocks]


def test_what_is_said_to_agentcore_is_what_its_interface_takes():
    provider, target, by_role = json_blocks("docs/how-to/connect-clients.md")
    service = botocore.session.get_session().get_service_model("bedrock-agentcore-control")
    by_iam = {**target, "credentialProviderConfigurations": by_role}
    for operation, parameters in (
        ("CreateOauth2CredentialProvider", provider),
        ("CreateGatewayTarget", target),
        ("CreateGatewayTarget", by_iam),
    ):
        shape = service.operation_model(operation).input_shape
        assert ParamValidator().validate(parameters, shape).generate_report() == ""


def test_what_is_said_to_agentcore_of_neonpanel_is_what_its_interface_takes():
    service = botocore.session.get_session().get_service_model("bedrock-agentcore-control")
    operations = ("CreateOauth2CredentialProvider", "CreateGatewayTarget")
    for operation, parameters in zip(operations, json_blocks("docs/how-to/connect-neonpanel.md"), strict=True):
        shape = service.operation_model(operation).input_shape
        assert ParamValidator().validate(parameters, shape).generate_report() == ""


def test_the_how_to_has_what_the_preset_sets():
    page = (ROOT / "docs/how-to/connect-neonpanel.md").read_text()
    table = page.partition("| setting | with `PRESET=neonpanel` |\n")[2].partition("\n\n")[0]
    names = {field.attribute: name for name, field in FIELDS.items()}
    preset = {names[attribute]: as_text(value) for attribute, value in PRESETS["neonpanel"].items()}
    assert dict(re.findall(r"^\| `(\w+)` \| `(.+)` \|$", table, re.MULTILINE)) == preset


LINK = re.compile(r"\[[^\]]+\]\((?!https?://)([^)#]*)(?:#[^)]*)?\)")


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: str(page.relative_to(ROOT))
)
def test_a_link_leads_to_something(page):
    targets = [target for target in LINK.findall(page.read_text()) if target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


CONFORMANCE = (ROOT / "docs/security/conformance.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py::\w+)`")


def all_tests() -> set[str]:
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        functions = (node for node in ast.parse(path.read_text()).body if isinstance(node, FUNCTIONS))
        found |= {f"{path.relative_to(ROOT).as_posix()}::{node.name}" for node in functions}
    return {name for name in found if "::test_" in name}


def forbidden() -> dict[int, set[str]]:
    """What must not happen, by number: the tests that the table names."""
    headings = re.split(r"^### (\d+)\. .+$", CONFORMANCE.partition("\n## When")[0], flags=re.MULTILINE)[1:]
    numbers = [int(number) for number in headings[::2]]
    assert len(numbers) == len(set(numbers))
    return {number: set(NAMED.findall(text)) for number, text in zip(numbers, headings[1::2], strict=True)}


def test_every_test_that_the_table_of_requirements_names_exists():
    assert set(NAMED.findall(CONFORMANCE)) - all_tests() == set()


def test_each_of_the_24_things_that_must_not_happen_has_a_test():
    assert forbidden().keys() == set(range(1, 25))
    assert [number for number, tests in forbidden().items() if not tests] == []


def test_every_test_with_a_number_in_its_name_is_in_the_table_under_it():
    numbered = {name: re.search(r"::test_(?:must_(?:not_)?)?0?(\d{1,2})_", name) for name in all_tests()}
    table = forbidden()
    assert [name for name, number in numbered.items() if number and name not in table[int(number[1])]] == []


def test_every_requirement_in_the_table_has_a_test():
    rows = re.findall(r"^\| .+ \|$", CONFORMANCE.partition("\n## What is not served")[0], re.MULTILINE)
    requirements = [row for row in rows if not row.endswith("| test |")]
    assert len(requirements) > 50
    assert [row for row in requirements if not NAMED.search(row)] == []
