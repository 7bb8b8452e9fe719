"""The first start: who can sign in on a laptop, and who cannot anywhere else."""

import json

import pytest

from tests.support.cli import started
from tests.support.command import running

GOOD = "correct horse battery"
COMMANDS = ["serve", "lambda"]
PUBLIC = {"PUBLIC_URL": "https://mcp.example.com"}


@pytest.fixture
def env(mcpx):
    return {"AUTH_DB_PATH": str(mcpx.folder / "data/auth.db")}


def names(mcpx) -> list[str]:
    return [user["name"] for user in json.loads(mcpx.ok("users", "list", "--json"))]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_laptop_begins_with_a_user_and_is_told_how_to_go_public(mcpx, env, command):
    with running(command, env=env) as server:
        server.wait_for("Ctrl-C stops it.")
        assert "Sign in as mcpuser with the password OMG!letmein" in server.output
        for step in ("users add NAME", "users remove mcpuser", "PUBLIC_URL"):
            assert step in server.output
    assert names(mcpx) == ["mcpuser"]


def test_the_second_start_tells_it_again_until_there_is_somebody_else(mcpx, env):
    for _ in range(2):
        with running("serve", env=env) as server:
            server.wait_for("Ctrl-C stops it.")
            assert "Sign in as mcpuser" in server.output
    assert names(mcpx) == ["mcpuser"]
    mcpx.ok("users", "passwd", "mcpuser", stdin=GOOD)
    with running("serve", env=env) as server:
        server.wait_for("Ctrl-C stops it.")
        assert "mcpuser" not in server.output


def test_a_store_with_users_gets_no_other(mcpx, env):
    mcpx.ok("users", "add", "ann", stdin=GOOD)
    with running("serve", env=env) as server:
        server.wait_for("Ctrl-C stops it.")
        assert "mcpuser" not in server.output
    assert names(mcpx) == ["ann"]


@pytest.mark.parametrize("command", COMMANDS)
def test_must_24_where_others_reach_the_server_no_default_user_is_made(mcpx, env, command):
    with started(command, "--port", "0", env=env | PUBLIC) as server:
        assert "Nobody can sign in yet" in server.output
        assert "users add NAME" in server.output
        assert "letmein" not in server.output
    assert names(mcpx) == []


def test_must_24_a_server_that_binds_every_address_makes_no_default_user(mcpx, env):
    with started("serve", "--host", "0.0.0.0", "--port", "0", env=env | PUBLIC) as server:
        assert "letmein" not in server.output
    assert names(mcpx) == []


def test_must_24_a_laptops_user_that_went_public_is_told_to_be_nobody(mcpx, env):
    with running("serve", env=env):
        pass
    with started("serve", "--port", "0", env=env | PUBLIC) as server:
        assert "Nobody can sign in yet" in server.output
        assert "letmein" not in server.output


def test_a_shared_table_gets_no_default_user(mcpx, env):
    settings = {
        "AUTH_TABLE": "users",
        "SERVER_SECRET": "a key that the machines have in common",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    with running("serve", env=env | settings) as server:
        server.wait_for("Ctrl-C stops it.")
        assert "Nobody can sign in for now" in server.output
        assert "letmein" not in server.output
        assert "Traceback" not in server.output


@pytest.mark.parametrize("command", COMMANDS)
def test_noauth_begins_nothing(mcpx, env, command):
    with running(command, "--auth", "noauth", env=env) as server:
        server.wait_for("Ctrl-C stops it.")
        assert "Sign in" not in server.output
    assert not (mcpx.folder / "data").exists()


def test_two_servers_that_begin_at_once_make_one_user(mcpx, env):
    with running("serve", env=env) as first, running("serve", env=env) as second:
        for server in (first, second):
            server.wait_for("Ctrl-C stops it.")
            assert "Sign in as mcpuser" in server.output
    assert names(mcpx) == ["mcpuser"]
