"""The commands over a DynamoDB table."""

import json

import pytest

from tests.support.auth_server import claims
from tests.support.aws import moto
from tests.support.dynamodb import create_table, credentials

GOOD = "correct horse battery"


@pytest.fixture
def table(mcpx):
    with credentials(), moto() as url:
        made = create_table(url)
        mcpx.env.update(made.environment)
        yield made.table


def test_users_clients_grants_and_keys_live_in_the_table(mcpx, table):
    where = ("--table", table)
    mcpx.ok("users", "add", "Ann", *where, stdin=GOOD)
    assert json.loads(mcpx.ok("users", "list", "--json", *where))[0]["name"] == "ann"
    assert "users passwd ann" in mcpx.refused("users", "add", "ann", *where, stdin=GOOD)
    assert "client_secret" in mcpx.ok("clients", "add", "--name", "Bedrock", "--grant", "client_credentials", *where)
    assert "Bedrock" in mcpx.ok("clients", "list", *where)
    grant = claims(mcpx.ok("token", "--url", "https://mcp.example.com", *where))["gid"]
    assert grant in mcpx.ok("grants", "list", *where)
    assert "signs" in mcpx.ok("keys", "list", *where)
    assert "revoked" in mcpx.ok("grants", "revoke", grant, *where)
    assert "removed" in mcpx.ok("users", "remove", "ann", *where)
    assert "There are no users" in mcpx.ok("users", "list", *where)


def test_the_setting_names_the_table_too(mcpx, table):
    mcpx.env["AUTH_TABLE"] = table
    mcpx.ok("users", "add", "ann", stdin=GOOD)
    assert "ann" in mcpx.ok("users", "list")
    assert not (mcpx.folder / "data").exists()


def test_a_table_that_is_not_there_is_one_sentence(mcpx, table):
    refused = mcpx.refused("users", "list", "--table", "another")
    assert "the table another gives no answer" in refused
    assert "arn:" not in refused
