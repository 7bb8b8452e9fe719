"""`mcpx token` and `mcpx grants`: a token for scripts, and the end of it."""

import json

import httpx2
import pytest

from tests.mcpx.conftest import add_users
from tests.support.auth_server import claims
from tests.support.command import running
from tests.support.gate import PATIENCE

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {"message": "hi"}}}


@pytest.fixture
def ann(mcpx):
    return add_users(mcpx, "ann")[0]


def call(url: str, token: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    return httpx2.post(f"{url}/mcp", json=CALL, headers=headers, timeout=PATIENCE)


@pytest.mark.parametrize("command", ["serve", "lambda"])
def test_a_script_calls_a_tool_with_a_token_until_its_grant_is_revoked(mcpx, ann, command):
    with running(command, env={"AUTH_DB_PATH": str(mcpx.folder / "data/auth.db")}) as server:
        token, other = (mcpx.ok("token", "--url", server.url) for _ in range(2))
        assert token.count("\n") == 1
        reply = call(server.url, token.strip())
        assert (reply.status_code, reply.json()["result"]["structuredContent"]["message"]) == (200, "hi")
        grant = claims(other)["gid"]
        assert "1 grant is revoked" in mcpx.ok("grants", "revoke", grant)
        assert call(server.url, other.strip()).status_code == 401
        elsewhere = mcpx.ok("token", "--url", "https://elsewhere.example")
        assert call(server.url, elsewhere.strip()).status_code == 401
        server.stop()
    assert token.strip() not in server.output


def test_the_token_is_alone_on_standard_output_and_explained_beside_it(mcpx, ann):
    done = mcpx("token", "--user", "Ann", "--minutes", "5", "--scope", "mcp.read", "--url", "https://mcp.example.com/")
    assert done.stdout.count(".") == 2
    assert len(done.stdout.split()) == 1
    said = claims(done.stdout)
    assert (said["iss"], said["aud"]) == ("https://mcp.example.com", "https://mcp.example.com/mcp")
    assert (said["sub"], said["scope"], said["exp"] - said["iat"]) == (ann, "mcp.read", 300)
    assert f"`mcpx grants revoke {said['gid']}`" in done.stderr
    assert done.stdout.strip() not in done.stderr


def test_a_token_is_for_the_server_of_the_settings_and_lives_15_minutes(mcpx, ann):
    here = claims(mcpx.ok("token"))
    mcpx.env["PUBLIC_URL"] = "https://mcp.example.com"
    there = claims(mcpx.ok("token"))
    assert (here["iss"], there["iss"]) == ("http://127.0.0.1:8000", "https://mcp.example.com")
    assert here["exp"] - here["iat"] == 900
    assert set(here["scope"].split()) == {"mcp.read", "mcp.tools"}


def test_it_must_be_clear_whose_the_token_is(mcpx, ann):
    assert "there is no user 'bob'" in mcpx.refused("token", "--user", "bob")
    add_users(mcpx, "bob")
    assert "--user NAME" in mcpx.refused("token")
    mcpx.ok("users", "disable", "bob")
    assert "bob is disabled" in mcpx.refused("token", "--user", "bob")
    assert "--url" in mcpx.refused("token", "--user", "ann", "--url", "https://mcp.example.com/mcp")


@pytest.mark.parametrize("minutes", ["0", "61", "-1", "soon"])
def test_no_token_lives_longer_than_an_hour(mcpx, minutes):
    done = mcpx("token", "--minutes", minutes)
    assert done.returncode == 2
    assert "argument --minutes: must be a whole number from 1 to 60" in done.stderr


def test_grants_are_listed_and_all_of_a_users_are_revoked_at_once(mcpx, ann):
    add_users(mcpx, "bob")
    for user in ("ann", "ann", "bob"):
        mcpx.ok("token", "--user", user)
    title, *rows = mcpx.ok("grants", "list").splitlines()
    assert title.split() == ["USER", "CLIENT", "SCOPES", "SINCE", "LAST", "USED", "ID"]
    assert [row.split()[0] for row in rows] == ["ann", "ann", "bob"]
    listed = json.loads(mcpx.ok("grants", "list", "--user", "ann", "--json"))
    assert [(grant["client"], grant["client_id"]) for grant in listed] == [("mcpx token", "mcpx-token")] * 2
    revoked = json.loads(mcpx.ok("grants", "revoke", "--user", "ann", "--json"))["revoked"]
    assert sorted(revoked) == sorted(grant["id"] for grant in listed)
    assert "There are no grants" in mcpx.ok("grants", "list", "--user", "ann")
    assert len(mcpx.ok("grants", "list").splitlines()) == 2


def test_revoking_nothing_is_told(mcpx, ann):
    assert "there is no grant 'x' in use" in mcpx.refused("grants", "revoke", "x")
    assert "there is no user 'bob'" in mcpx.refused("grants", "revoke", "--user", "bob")
    assert "0 grants" in mcpx.ok("grants", "revoke", "--user", "ann")
    assert mcpx("grants", "revoke").returncode == 2
    assert mcpx("grants", "revoke", "x", "--user", "ann").returncode == 2


@pytest.mark.parametrize("end", [["disable"], ["remove"], ["passwd"]])
def test_what_a_user_allowed_ends_with_the_users_epoch(mcpx, ann, end):
    mcpx.ok("token")
    mcpx.ok("users", *end, "ann", stdin="another good password")
    assert "There are no grants" in mcpx.ok("grants", "list")


def test_the_scopes_of_tools_are_given_where_they_are_offered(mcpx, ann):
    assert "TOOL_SCOPES=true" in mcpx.refused("token", "--scope", "read:inventory")
    assert "TOOL_SCOPES=true" in mcpx.refused(
        "clients", "add", "--name", "App", "--redirect-uri", "https://app.example/c", "--scope", "write:import"
    )
    mcpx.env["TOOL_SCOPES"] = "true"
    assert claims(mcpx.ok("token", "--scope", "read:inventory"))["scope"] == "read:inventory"
    assert len(claims(mcpx.ok("token"))["scope"].split()) == 11
    added = json.loads(mcpx.ok("clients", "add", "--name", "App", "--redirect-uri", "https://app.example/c", "--json"))
    assert len(added["scopes"]) == 11


def test_no_token_is_made_for_a_server_that_takes_none(mcpx, ann):
    mcpx.env |= {"AUTH_MODE": "provider", "PROVIDER_ISSUER": "https://issuer.example"}
    assert "takes no tokens of this server's own" in mcpx.refused("token")
    assert mcpx.ok("token", "--url", "https://mcp.example.com").count(".") == 2
    mcpx.env["AUTH_MODE"] = "provider,oauth"
    assert mcpx.ok("token").count(".") == 2
