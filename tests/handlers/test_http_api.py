"""The buffered API Gateway door, called as Lambda calls it."""

import copy
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.auth_server import Clock
from tests.support.command import environment
from tests.support.signed_in import SignedIn, oauth_settings

EVENT = json.loads(Path("events/http_api.json").read_text())


class Context:
    """What Lambda hands to a handler beside the event."""

    aws_request_id = "0b5ce2a4-5b4e-4d0e-8f3a-0d6f5a0c7e11"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture(scope="module")
def handler() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTH_MODE", "noauth")
        patch.setenv("ALLOW_PUBLIC_NOAUTH", "true")
        patch.setenv("PUBLIC_URL", "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com")
        from handlers import http_api
    yield http_api.handler
    http_api.handler.close()


def event(path: str = "/mcp", method: str = "GET", **changes: Any) -> dict[str, Any]:
    changed = copy.deepcopy(EVENT) | {"rawPath": path, "body": None} | changes
    changed["requestContext"]["http"] |= {"method": method, "path": path}
    return changed


def test_the_sample_event_calls_a_tool(handler: Any) -> None:
    reply = handler(EVENT, Context())
    assert reply["statusCode"] == 200
    assert json.loads(reply["body"])["result"]["content"] == [{"type": "text", "text": "Hello, MCP!"}]


def test_the_second_invocation_works_too(handler: Any) -> None:
    assert [handler(EVENT, Context())["statusCode"] for _ in range(3)] == [200, 200, 200]


def test_health(handler: Any) -> None:
    reply = handler(event("/healthz"), Context())
    assert json.loads(reply["body"])["status"] == "ok"


@pytest.mark.parametrize(
    ("raw", "stage", "path"),
    [
        ("/mcp", "$default", "/mcp"),
        ("/dev/mcp", "dev", "/mcp"),
        ("/develop/mcp", "dev", "/develop/mcp"),
        ("/a%252Fb", "$default", "/a%2Fb"),
        ("/caf%C3%A9", "$default", "/café"),
        ("", "$default", "/"),
    ],
)
def test_the_path_is_decoded_once(handler: Any, raw: str, stage: str, path: str) -> None:
    from handlers.http_api import HttpApi

    changed = event(raw)
    changed["requestContext"]["stage"] = stage
    scope = HttpApi(changed, Context(), {"api_gateway_base_path": "/"}).scope
    assert scope["path"] == path


def test_the_deadline_is_in_the_scope(handler: Any) -> None:
    from handlers.http_api import HttpApi

    scope = HttpApi(event(), Context(), {"api_gateway_base_path": "/"}).scope
    extension = scope["extensions"]["aws.lambda"]
    assert extension["event"]["rawPath"] == "/mcp"
    assert extension["deadline_ms"] > 30_000


MANAGED_RUNTIME = """
import logging, sys
logging.basicConfig(format="the runtime's: %(message)s", stream=sys.stdout)
from handlers.http_api import handler
from tests.handlers.test_http_api import EVENT, Context
handler(EVENT, Context())
handler.close()
"""


def test_a_request_is_logged_once_however_the_runtime_logs() -> None:
    variables = {"AUTH_MODE": "noauth", "PUBLIC_URL": "https://mcp.example", "ALLOW_PUBLIC_NOAUTH": "true"}
    command = [sys.executable, "-c", MANAGED_RUNTIME]
    env = environment(variables | {"LOG_FORMAT": "json"})
    printed = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True).stdout
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [line["message"] for line in lines if line["level"] == "INFO"] == ["POST /mcp 200"]


WITH_USERS = """
import json, sys
from handlers.http_api import handler
from tests.handlers.test_http_api import EVENT, Context, event
def show(sent):
    reply = handler(sent, Context())
    print(json.dumps([reply["statusCode"], reply["headers"], json.loads(reply["body"])]))
show(EVENT)
show(event("/.well-known/oauth-protected-resource/mcp"))
show(EVENT | {"headers": EVENT["headers"] | {"authorization": f"Bearer {sys.argv[1]}"}})
handler.close()
"""


def test_with_users_it_challenges_and_lets_in_as_the_other_doors_do(tmp_path: Path) -> None:
    issuer = "https://mcp.example"
    settings = oauth_settings(tmp_path, public_url=issuer)
    token = SignedIn(issuer, settings, Clock(time.time())).token()
    variables = {
        "AUTH_DB_PATH": settings.auth_db_path,
        "JWT_SECRET_KEY": "k" * 32,
        "PUBLIC_URL": issuer,
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-c", WITH_USERS, token]
    ran = subprocess.run(command, env=environment(variables), capture_output=True, text=True, timeout=60, check=True)
    refused, metadata, called = [json.loads(line) for line in ran.stdout.splitlines()]
    assert refused[0] == 401
    assert f'resource_metadata="{issuer}/.well-known/oauth-protected-resource/mcp"' in refused[1]["www-authenticate"]
    assert (metadata[0], metadata[2]["resource"]) == (200, f"{issuer}/mcp")
    assert (called[0], called[2]["result"]["isError"]) == (200, False)
