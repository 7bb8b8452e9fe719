"""Secret values from the environment and from a real Secrets Manager on loopback."""

import json
import logging
from collections.abc import Iterator
from itertools import count
from typing import Any

import anyio
import boto3
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mcp_app.clients import Clients
from mcp_app.secrets import MAX_AGE, PAUSE, Secrets, SecretUnavailableError
from mcp_app.settings import Settings
from tests.support.aws import REGION, aws_server
from tests.support.calls import UNREACHABLE, call, clients, settings_for, text_of
from tests.support.openai import OpenAIDouble
from tests.support.serve import serving

pytestmark = pytest.mark.anyio


class Vault:
    """Secrets Manager as an operator sees it."""

    def __init__(self) -> None:
        self._client: Any = boto3.client("secretsmanager", region_name=REGION)
        self._names = count()

    def store(self, value: Any) -> str:
        """Store a secret, as JSON unless it is text or bytes, and give its ARN."""
        name = f"mcpx-{next(self._names)}"
        if isinstance(value, bytes):
            return str(self._client.create_secret(Name=name, SecretBinary=value)["ARN"])
        text = value if isinstance(value, str) else json.dumps(value)
        return str(self._client.create_secret(Name=name, SecretString=text)["ARN"])

    def rotate(self, arn: str, value: Any) -> None:
        self._client.put_secret_value(SecretId=arn, SecretString=json.dumps(value))

    def break_(self, arn: str) -> None:
        self._client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def vault() -> Iterator[Vault]:
    with aws_server():
        yield Vault()


def secrets_at(arn: str | None, clock: Clock | None = None, **given: Any) -> Secrets:
    return Secrets(Settings(openai_secret_arn=arn, **given), clock or Clock())


def fetches_that_failed(caplog: pytest.LogCaptureFixture) -> int:
    return len([record for record in caplog.records if record.name == "mcp_app.secrets"])


async def test_the_environment_wins() -> None:
    secrets = secrets_at("arn:aws:secretsmanager:us-east-1:1:secret:none", openai_api_key="sk-env")
    assert await secrets.get("OPENAI_API_KEY") == "sk-env"
    assert await secrets.get("OPENAI_API_KEY", refresh=True) == "sk-env"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "WEATHER_API_KEY", "SERVER_SECRET"])
async def test_what_is_not_configured_is_none(name: str) -> None:
    assert await secrets_at(None).get(name) is None


async def test_values_come_from_secrets_manager(vault: Vault) -> None:
    arn = vault.store({"OPENAI_API_KEY": "sk-1", "WEATHER_API_KEY": "owm-1"})
    server = vault.store({"SERVER_SECRET": "s" * 64})
    secrets = secrets_at(arn, server_secret_arn=server)
    assert await secrets.get("OPENAI_API_KEY") == "sk-1"
    assert await secrets.get("WEATHER_API_KEY") == "owm-1"
    assert await secrets.get("SERVER_SECRET") == "s" * 64


async def test_empty_and_missing_values_are_none(vault: Vault) -> None:
    secrets = secrets_at(vault.store({"OPENAI_API_KEY": ""}))
    assert await secrets.get("OPENAI_API_KEY") is None
    assert await secrets.get("WEATHER_API_KEY") is None


async def test_a_binary_secret_is_read_too(vault: Vault) -> None:
    assert await secrets_at(vault.store(b'{"OPENAI_API_KEY": "sk-b"}')).get("OPENAI_API_KEY") == "sk-b"


async def test_a_value_is_kept_until_it_is_old(vault: Vault) -> None:
    clock = Clock()
    arn = vault.store({"OPENAI_API_KEY": "sk-1"})
    secrets = secrets_at(arn, clock)
    await secrets.get("OPENAI_API_KEY")
    vault.rotate(arn, {"OPENAI_API_KEY": "sk-2"})
    clock.now += MAX_AGE - 1
    assert await secrets.get("OPENAI_API_KEY") == "sk-1"
    clock.now += 1
    assert await secrets.get("OPENAI_API_KEY") == "sk-2"


async def test_a_refresh_reads_again_but_not_without_end(vault: Vault) -> None:
    clock = Clock()
    arn = vault.store({"OPENAI_API_KEY": "sk-1"})
    secrets = secrets_at(arn, clock)
    await secrets.get("OPENAI_API_KEY")
    vault.rotate(arn, {"OPENAI_API_KEY": "sk-2"})
    assert await secrets.get("OPENAI_API_KEY", refresh=True) == "sk-2"
    vault.rotate(arn, {"OPENAI_API_KEY": "sk-3"})
    assert await secrets.get("OPENAI_API_KEY", refresh=True) == "sk-2"
    clock.now += PAUSE
    assert await secrets.get("OPENAI_API_KEY", refresh=True) == "sk-3"


async def test_the_last_good_value_outlives_a_failure(vault: Vault) -> None:
    clock = Clock()
    arn = vault.store({"OPENAI_API_KEY": "sk-1"})
    secrets = secrets_at(arn, clock)
    await secrets.get("OPENAI_API_KEY")
    vault.break_(arn)
    clock.now += MAX_AGE
    assert await secrets.get("OPENAI_API_KEY") == "sk-1"
    assert await secrets.get("OPENAI_API_KEY", refresh=True) == "sk-1"


async def test_a_failure_is_not_repeated_at_once_but_later(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    arn = vault.store({"OPENAI_API_KEY": "sk-1"})
    vault.break_(arn)
    secrets = secrets_at(arn, clock)
    for _ in range(3):
        with pytest.raises(SecretUnavailableError, match="ResourceNotFoundException"):
            await secrets.get("OPENAI_API_KEY")
    assert fetches_that_failed(caplog) == 1
    clock.now += PAUSE
    with pytest.raises(SecretUnavailableError):
        await secrets.get("OPENAI_API_KEY")
    assert fetches_that_failed(caplog) == 2


@pytest.mark.parametrize(
    ("value", "reason"),
    [("sk-plain", "it is not JSON"), ("[1]", "it is not a JSON object"), ("[" * 60_000, "it is not JSON")],
)
async def test_an_unusable_secret_is_told(vault: Vault, value: str, reason: str) -> None:
    with pytest.raises(SecretUnavailableError) as raised:
        await secrets_at(vault.store(value)).get("OPENAI_API_KEY")
    assert str(raised.value) == f"OPENAI_API_KEY could not be read from Secrets Manager: {reason}."


async def test_secrets_manager_is_down(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = vault.store({"OPENAI_API_KEY": "sk-1"})
    monkeypatch.setenv("AWS_ENDPOINT_URL", UNREACHABLE)
    with pytest.raises(SecretUnavailableError, match="EndpointConnectionError"):
        await secrets_at(arn).get("OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (200, '{"SecretString": 5}', "it is not JSON"),
        (200, '{"SecretString": null}', "KeyError"),
        (400, '{"__type": "<b>of secret x</b>", "message": "arn:aws:secret"}', "ClientError"),
    ],
)
async def test_what_is_no_secrets_manager_is_told_in_our_own_words(
    status: int, answer: str, reason: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def respond(_request: Request) -> Response:
        return Response(answer, status, media_type="application/x-amz-json-1.1")

    async with serving(Starlette(routes=[Route("/", respond, methods=["POST"])])) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
        with pytest.raises(SecretUnavailableError) as raised:
            await secrets_at("arn:aws:secretsmanager:us-east-1:1:secret:x").get("OPENAI_API_KEY")
    assert str(raised.value) == f"OPENAI_API_KEY could not be read from Secrets Manager: {reason}."


async def test_many_at_once_share_one_fetch(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    secrets = secrets_at(vault.store("not json"))
    failures: list[SecretUnavailableError] = []

    async def read() -> None:
        try:
            await secrets.get("OPENAI_API_KEY")
        except SecretUnavailableError as error:
            failures.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(read)
    assert len(failures) == 20
    assert fetches_that_failed(caplog) == 1


async def test_a_cancelled_read_leaves_nothing_behind(vault: Vault) -> None:
    secrets = secrets_at(vault.store({"OPENAI_API_KEY": "sk-1"}))
    with anyio.move_on_after(0):
        await secrets.get("OPENAI_API_KEY")
    assert await secrets.get("OPENAI_API_KEY") == "sk-1"


async def test_no_value_is_shown(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    secrets = secrets_at(vault.store({"OPENAI_API_KEY": "sk-hush"}))
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    assert await secrets.get("OPENAI_API_KEY") == "sk-hush"
    assert "sk-hush" not in repr(secrets) + str(vars(secrets)) + caplog.text


async def test_a_rotated_key_is_fetched_when_the_service_refuses_the_old_one(vault: Vault) -> None:
    arn = vault.store({"OPENAI_API_KEY": "sk-old"})
    double = OpenAIDouble(keys={"sk-old"})
    async with clients(double, openai_secret_arn=arn, search_cache_seconds=0) as made:
        assert not (await call("web_search", {"query": "q"}, made)).is_error
        vault.rotate(arn, {"OPENAI_API_KEY": "sk-new"})
        double.keys = {"sk-new"}
        assert not (await call("web_search", {"query": "q"}, made)).is_error
    assert len(double.requests) == 3


async def test_a_refused_key_that_did_not_change_is_not_tried_twice(vault: Vault) -> None:
    double = OpenAIDouble(keys={"sk-other"})
    async with clients(double, openai_secret_arn=vault.store({"OPENAI_API_KEY": "sk-old"})) as made:
        outcome = await call("web_search", {"query": "q"}, made)
    assert text_of(outcome) == "OpenAI refused this server's key: the operator must check OPENAI_API_KEY."
    assert len(double.requests) == 1


async def test_a_key_that_cannot_be_read_is_told(vault: Vault) -> None:
    arn = vault.store("not json")
    async with serving(OpenAIDouble().app) as url:
        settings = settings_for(url, openai_secret_arn=arn)
        made = Clients(settings, Secrets(settings))
        outcome = await call("web_search", {"query": "q"}, made)
        await made.aclose()
    assert text_of(outcome) == "This server could not read its key for OpenAI. Try again later."


async def test_the_value_before_a_rotation_is_found_by_a_fresh_process(vault: Vault) -> None:
    arn = vault.store({"SERVER_SECRET": "a" * 32})
    vault.rotate(arn, {"SERVER_SECRET": "b" * 32})
    secrets = secrets_at(None, server_secret_arn=arn)
    assert await secrets.get("SERVER_SECRET") == "b" * 32
    assert await secrets.previous("SERVER_SECRET") == "a" * 32


async def test_the_value_before_a_rotation_is_known_to_a_process_that_saw_it(vault: Vault) -> None:
    clock = Clock()
    arn = vault.store({"SERVER_SECRET": "a" * 32})
    secrets = secrets_at(None, clock, server_secret_arn=arn)
    assert await secrets.get("SERVER_SECRET") == "a" * 32
    assert await secrets.previous("SERVER_SECRET") is None
    vault.rotate(arn, {"SERVER_SECRET": "b" * 32})
    assert await secrets.get("SERVER_SECRET", refresh=True) == "b" * 32
    assert await secrets.previous("SERVER_SECRET") == "a" * 32
    vault.rotate(arn, {"SERVER_SECRET": "c" * 32})
    clock.now += MAX_AGE
    assert await secrets.get("SERVER_SECRET") == "c" * 32
    assert await secrets.previous("SERVER_SECRET") == "b" * 32


async def test_a_secret_that_was_never_rotated_has_no_previous_value(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = secrets_at(None, server_secret_arn=vault.store({"SERVER_SECRET": "a" * 32}))
    assert await secrets.previous("SERVER_SECRET") is None
    assert fetches_that_failed(caplog) == 0


@pytest.mark.parametrize("given", [{}, {"server_secret": "s" * 32}])
async def test_there_is_no_previous_value_outside_secrets_manager(given: dict[str, str]) -> None:
    assert await secrets_at(None, **given).previous("SERVER_SECRET") is None


async def test_a_previous_value_that_cannot_be_read_is_told_and_asked_for_again_later(vault: Vault) -> None:
    clock = Clock()
    arn = vault.store("not json")
    vault.rotate(arn, {"SERVER_SECRET": "b" * 32})
    secrets = secrets_at(None, clock, server_secret_arn=arn)
    for _ in range(2):
        with pytest.raises(SecretUnavailableError, match=r"SERVER_SECRET could not be read .*: it is not JSON"):
            await secrets.previous("SERVER_SECRET")
    vault.rotate(arn, {"SERVER_SECRET": "c" * 32})
    with pytest.raises(SecretUnavailableError):
        await secrets.previous("SERVER_SECRET")
    clock.now += PAUSE
    assert await secrets.previous("SERVER_SECRET") == "b" * 32
