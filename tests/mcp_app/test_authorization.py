"""The authorization server that the settings describe: over which store, with which keys, under which limits."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from auth.events import Event
from auth.keys.errors import KeyUnavailableError
from mcp_app.authorization import authorization_server, config
from mcp_app.settings import Settings, SettingsError
from tests.support.auth_server import add_user
from tests.support.aws import REGION, aws_server
from tests.support.dynamodb import SCHEMA
from tests.support.signed_in import oauth_settings

pytestmark = pytest.mark.anyio

ONE, OTHER = "1" * 32, "2" * 32


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    with aws_server(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        yield


def stored_secret(value: dict[str, str]) -> str:
    client: Any = boto3.client("secretsmanager", region_name=REGION)
    return str(client.create_secret(Name=f"s{value}".replace("'", "").strip(), SecretString=json.dumps(value))["ARN"])


def test_every_limit_and_lifetime_is_a_setting():
    made = config(
        Settings(
            name="shop",
            access_token_minutes=5,
            refresh_token_days=2,
            dynamic_registration=False,
            sign_ins_per_user=11,
            sign_ins_per_address=12,
            sign_in_failures_before_lock=13,
            sign_in_first_lock_seconds=14,
            sign_in_longest_lock_seconds=15,
            token_requests_per_client=16,
            registrations_per_address=17,
        )
    )
    assert (made.name, made.access_token, made.refresh_token, made.registration) == ("shop", 300, 172_800, False)
    assert tuple(made.limits) == (11, 12, 13, 14, 15, 16, 17)


@pytest.mark.parametrize(
    ("given", "public"),
    [
        ({}, False),
        ({"public_url": "http://localhost:8000"}, False),
        ({"public_url": "https://mcp.example.com"}, True),
        ({"host": "0.0.0.0", "public_url": "http://localhost:8000"}, True),
        ({"lambda_function": "mcp"}, True),
        ({"lambda_function": "mcp", "public_url": "http://127.0.0.1:8000"}, False),
    ],
)
def test_a_server_that_others_reach_is_known_for_one_whatever_its_url_says(given, public):
    assert config(Settings(**given)).public is public


async def test_one_secret_is_one_key_on_every_machine_and_no_file(tmp_path):
    servers = [authorization_server(oauth_settings(tmp_path / name, server_secret=ONE)) for name in "ab"]
    other = authorization_server(oauth_settings(tmp_path / "c", server_secret=OTHER))
    keys = [await server.server_key.current("a purpose") for server in (*servers, other)]
    assert keys[0] == keys[1] != keys[2]
    assert list(tmp_path.iterdir()) == []


async def test_without_a_secret_the_key_is_in_a_file_beside_the_database(tmp_path):
    servers = [authorization_server(oauth_settings(tmp_path / "data")) for _ in range(2)]
    keys = [await server.server_key.current("a purpose") for server in servers]
    assert keys[0] == keys[1]
    (file,) = (tmp_path / "data").iterdir()
    assert (file.name, oct(file.stat().st_mode & 0o777)) == ("server.key", "0o600")


async def test_a_rotated_secret_still_opens_what_it_sealed(tmp_path, aws):
    arn = stored_secret({"SERVER_SECRET": ONE})
    before = await authorization_server(oauth_settings(tmp_path, server_secret_arn=arn)).server_key.current("p")
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(
        SecretId=arn, SecretString=json.dumps({"SERVER_SECRET": OTHER})
    )
    after = await authorization_server(oauth_settings(tmp_path, server_secret_arn=arn)).server_key.accepted("p")
    assert (len(after), after[1], after[0] == before) == (2, before, False)


@pytest.mark.parametrize("value", [{"ANOTHER": "x"}, None])
async def test_a_secret_that_is_not_there_is_for_the_operator_to_mend_and_no_reason_to_throw_tokens_away(
    tmp_path, aws, value
):
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:none" if value is None else stored_secret(value)
    key = authorization_server(oauth_settings(tmp_path, server_secret_arn=arn)).server_key
    with pytest.raises(KeyUnavailableError) as caught:
        await key.current("p")
    assert (caught.value.status, caught.value.description) == (503, "The server cannot use its keys now. Try again.")
    assert "SERVER_SECRET" in str(caught.value)
    assert "arn:" not in str(caught.value)


async def test_a_table_is_the_store_where_one_is_named(tmp_path, aws):
    boto3.client("dynamodb", region_name=REGION).create_table(TableName="users-and-grants", **SCHEMA)
    settings = oauth_settings(tmp_path, auth_table="users-and-grants")
    made, again = authorization_server(settings), authorization_server(settings)
    user = await add_user(made.store)
    assert await again.users.get(user.id) == user
    assert list(tmp_path.iterdir()) == []
    for server in (made, again):
        await server.store.aclose()


async def test_what_happens_is_told_to_whoever_is_handed_in(tmp_path):
    told: list[Event] = []
    server = authorization_server(oauth_settings(tmp_path, jwt_secret_key=None), events=told.append)
    await server.keys.sign({}, {"typ": "test"})
    assert [event.name for event in told] == ["signing_key_added"]
    await server.store.aclose()


def test_a_secret_that_is_too_short_to_sign_with_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="JWT_SECRET_KEY must have 32 bytes or more"):
        authorization_server(oauth_settings(tmp_path, jwt_secret_key="k" * 31))
