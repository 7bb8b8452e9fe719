"""The architecture's walls hold, and a rule that should see a breach sees it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import walls

SRC = Path(__file__).parents[1] / "src"


@pytest.fixture(scope="module")
def modules():
    found = walls.read(SRC)
    assert len(found) > 40
    return found


@pytest.mark.parametrize("rule", walls.RULES, ids=lambda rule: rule.__name__)
def test_the_wall_stands(rule, modules):
    assert list(rule(modules)) == []


def test_every_package_has_its_place(modules):
    assert {module.package for module in modules} <= walls.PROJECT


BREACHES = [
    (walls.arrows, {"auth.a": "import mcp_app.b"}, "auth.a:1 imports mcp_app.b"),
    (walls.arrows, {"mcp_app.a": "def f():\n    from lambda_asgi import x"}, "mcp_app.a:2 imports lambda_asgi"),
    (walls.arrows, {"lambda_asgi.a": "import auth"}, "lambda_asgi.a:1 imports auth"),
    (walls.arrows, {"handlers.a": "from mcpx import cli"}, "handlers.a:1 imports mcpx"),
    (walls.arrows, {"store.a": "if TYPE_CHECKING:\n    import auth"}, "store.a:2 imports auth"),
    (walls.standard_library_only, {"lambda_asgi.a": "import json\nimport anyio"}, "lambda_asgi.a:2 imports anyio"),
    (walls.standard_library_only, {"lambda_asgi.a": "import mcp_app"}, "lambda_asgi.a:1 imports mcp_app"),
    (walls.tools_without_frameworks, {"mcp_app.tools.a": "import mcp.types"}, "mcp_app.tools.a:1 imports mcp.types"),
    (
        walls.tools_without_frameworks,
        {"mcp_app.tools.x.a": "from starlette.requests import Request"},
        "mcp_app.tools.x.a:1 imports starlette.requests",
    ),
    (
        walls.arrows,
        {"auth.a": "def f():\n    from mcp_app.settings import Settings"},
        "auth.a:2 imports mcp_app.settings",
    ),
    (walls.auth_without_the_sdk, {"auth.a": "import mcp"}, "auth.a:1 imports mcp"),
    (walls.auth_without_the_sdk, {"store.a": "def f():\n    import mcp_types"}, "store.a:2 imports mcp_types"),
    (walls.store_without_frameworks, {"store.a": "import starlette"}, "store.a:1 imports starlette"),
    (walls.heavy_imports_are_late, {"auth.a": "import bcrypt"}, "auth.a:1 imports bcrypt"),
    (walls.heavy_imports_are_late, {"auth.pages.a": "from jinja2 import X"}, "auth.pages.a:1 imports jinja2"),
    (walls.heavy_imports_are_late, {"auth.a": "import jwt"}, "auth.a:1 imports jwt"),
    (walls.sdk_in_its_places, {"mcp_app.web.a": "from mcp_types import Tool"}, "mcp_app.web.a:1 imports mcp_types"),
    (walls.sdk_in_its_places, {"handlers.a": "def f():\n    import mcp"}, "handlers.a:2 imports mcp"),
    (walls.environment_in_its_place, {"mcp_app.a": "import os\nos.environ['X']"}, "mcp_app.a:2 reads the environment"),
    (walls.environment_in_its_place, {"auth.a": "import os\nos.getenv('X')"}, "auth.a:2 reads the environment"),
    (walls.environment_in_its_place, {"mcpx.a": "from os import environ"}, "mcpx.a:1 reads the environment"),
    (walls.no_circles, {"a": "import b", "b": "import c", "c": "def f():\n    import a"}, "a -> b -> c -> a"),
    (walls.no_circles, {"p.__init__": "from .a import x", "p.a": "from . import y"}, "p -> p.a -> p"),
    (walls.no_circles, {"p.__init__": "", "p.a": "from p import b", "p.b": "import p.a"}, "p.a -> p.b -> p.a"),
    (walls.heavy_imports_are_late, {"mcp_app.a": "import boto3"}, "mcp_app.a:1 imports boto3"),
    (
        walls.heavy_imports_are_late,
        {"auth.a": "class A:\n    from cryptography.x import y"},
        "auth.a:2 imports cryptography.x",
    ),
    (
        walls.heavy_imports_are_late,
        {"mcp_app.a": "try:\n    import httpx2\nexcept X:\n    pass"},
        "mcp_app.a:2 imports httpx2",
    ),
    (walls.heavy_imports_are_late, {"handlers.http_api": "import uvicorn"}, "handlers.http_api:1 imports uvicorn"),
    (walls.small_pieces, {"a": "def f():\n" + "    x = 1\n" * 60}, "a:1 f has 61 lines"),
    (walls.small_pieces, {"a": "x = 1\n" * 401}, "a has more than 400 lines"),
]


@pytest.mark.parametrize(("rule", "sources", "seen"), BREACHES)
def test_a_breach_is_seen(rule, sources, seen):
    assert list(rule(walls.parse(sources))) == [seen]


@pytest.mark.parametrize(
    ("rule", "sources"),
    [
        (walls.arrows, {"mcpx.a": "import handlers.x, lambda_asgi, mcp_app", "handlers.a": "import lambda_asgi"}),
        (
            walls.standard_library_only,
            {"lambda_asgi.a": "from . import b\nimport asyncio.streams", "lambda_asgi.b": ""},
        ),
        (walls.sdk_in_its_places, {"mcp_app.transport.a": "import mcp", "mcp_app.server": "import mcp_types"}),
        (walls.sdk_in_its_places, {"mcp_app.a": "import mcp_app.b"}),
        (
            walls.environment_in_its_place,
            {"mcp_app.settings": "import os\nos.environ", "lambda_asgi.a": "import os\nos.environ"},
        ),
        (walls.no_circles, {"a": "if TYPE_CHECKING:\n    import b", "b": "import a"}),
        (walls.heavy_imports_are_late, {"mcp_app.a": "async def f():\n    import boto3"}),
        (walls.heavy_imports_are_late, {"mcp_app.a": "if TYPE_CHECKING:\n    import httpx2"}),
        (walls.heavy_imports_are_late, {"handlers.container": "import uvicorn", "handlers.http_api": "import mangum"}),
        (walls.small_pieces, {"a": "def f():\n" + "    x = 1\n" * 59}),
    ],
)
def test_what_is_allowed_passes(rule, sources):
    assert list(rule(walls.parse(sources))) == []


def loaded_by(statement: str) -> set[str]:
    """The top-level packages in a fresh interpreter after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_tools_come_without_the_sdk_the_framework_and_what_they_call():
    registry = "import mcp_app.tools.utility as u; from mcp_app.tools.registry import *; Registry(discover(u))"
    assert not loaded_by(registry) & (walls.HEAVY | walls.SDK | {"starlette"})


def test_a_cold_start_loads_nothing_that_only_some_requests_need():
    settings = "from mcp_app.settings import Settings"
    app = f"from mcp_app.app import create_app; {settings}; create_app(Settings(auth_mode='noauth'))"
    assert not loaded_by(app) & walls.HEAVY


TABLE = "lambda_function='f', auth_table='t', signing_key_arn='k', server_secret_arn='s'"


PROVIDER = "auth_mode='provider', provider_issuer='https://issuer.example', lambda_function='f'"


@pytest.mark.parametrize(
    "given", [TABLE, "auth_db_path='/nowhere/auth.db'", f"{TABLE}, auth_mode='iam,oauth'", PROVIDER]
)
def test_a_cold_start_waits_with_the_store_and_the_keys_for_who_needs_them(given):
    settings = "from mcp_app.settings import Settings"
    loaded = loaded_by(f"from mcp_app.app import create_app; {settings}; create_app(Settings({given}))")
    assert not loaded & walls.HEAVY
