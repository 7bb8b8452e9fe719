"""`mcpx keys`: the keys that sign access tokens."""

import json

import pytest

from tests.mcpx.conftest import add_users
from tests.mcpx.test_token import call
from tests.support.command import running


@pytest.fixture(autouse=True)
def ann(mcpx):
    add_users(mcpx, "ann")


def test_a_rotation_keeps_the_old_key_for_what_it_signed(mcpx):
    assert "no keys yet" in mcpx.ok("keys", "list")
    with running("serve", env={"AUTH_DB_PATH": str(mcpx.folder / "data/auth.db")}) as server:
        before = mcpx.ok("token", "--url", server.url)
        (first,) = json.loads(mcpx.ok("keys", "list", "--json"))
        assert (first["state"], first["algorithm"]) == ("signs", "RS256")
        assert "nobody has to sign in again" in mcpx.ok("keys", "rotate")
        old, new = json.loads(mcpx.ok("keys", "list", "--json"))
        assert (old["id"], old["state"], new["until"]) == (first["id"], "verifies", None)
        assert new["state"] in ("will sign", "signs")
        assert call(server.url, before.strip()).status_code == 200
        assert call(server.url, mcpx.ok("token", "--url", server.url).strip()).status_code == 200


def test_keys_are_listed_for_people(mcpx):
    mcpx.ok("keys", "rotate")
    title, *rows = mcpx.ok("keys", "list").splitlines()
    assert title.split() == ["ID", "ALGORITHM", "STATE", "SINCE", "UNTIL"]
    assert all(row.split()[1] == "RS256" for row in rows)


def test_a_secret_is_rotated_by_its_setting(mcpx):
    mcpx.env["JWT_SECRET_KEY"] = "a secret of more than thirty-two bytes"
    assert "HS256" in mcpx.ok("keys", "list")
    assert "change that setting" in mcpx.refused("keys", "rotate")


def test_a_secret_that_is_too_short_is_named_without_its_value(mcpx):
    mcpx.env["JWT_SECRET_KEY"] = "too short"
    refused = mcpx.refused("keys", "list")
    assert "JWT_SECRET_KEY" in refused
    assert "too short" not in refused
