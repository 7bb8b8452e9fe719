"""`mcpx doctor`: what it finds, what it says of it, and its exit status."""

import json

import pytest

from mcpx.doctor import examined
from tests.mcpx.conftest import add_users
from tests.support import faults
from tests.support.cli import Cli
from tests.support.command import running
from tests.support.issuer import JWKS, issuing


@pytest.fixture
def issuer():
    with issuing() as made:
        made.publish()
        yield made


@pytest.fixture
def provider(mcpx, issuer):
    mcpx.env |= {"AUTH_MODE": "provider", "PROVIDER_ISSUER": issuer.url}
    return mcpx


def test_a_laptop_is_well_before_its_first_start_and_nothing_is_begun(mcpx: Cli):
    said = mcpx.ok("doctor")
    assert "tools: ok" in said
    assert "store: ok (begun: False)" in said
    assert list(mcpx.folder.iterdir()) == []


def test_it_looks_at_the_store_and_signs(mcpx):
    add_users(mcpx, "ann")
    mcpx.env["JWT_SECRET_KEY"] = "k" * 32
    found = json.loads(mcpx.ok("doctor", "--json"))
    assert (found["status"], found["problem"], found["notices"]) == ("ok", None, [])
    assert found["checks"]["store"] == {"status": "ok"}
    assert found["checks"]["signingKey"] == {"status": "ok", "algorithm": "HS256"}


def test_it_counts_the_providers_keys_and_says_what_is_not_enforced(provider, issuer):
    said = provider.ok("doctor")
    assert "jwks: ok (keysFound: 1)" in said
    assert said.count("Notice: ") == 2
    assert f"Notice: PROVIDER_AUDIENCE is not set: a token that {issuer.url} issued" in said
    found = json.loads(provider.ok("doctor", "--json"))
    assert found["checks"]["jwks"] == {"status": "ok", "keysFound": 1}
    assert len(found["notices"]) == 2


def test_what_is_broken_is_named_with_the_reason_and_the_status(provider, issuer):
    issuer.faults.path, issuer.faults.always = JWKS, faults.status(404, "<h1>inside</h1>")
    done = provider("doctor")
    assert (done.returncode, done.stderr) == (1, "mcpx: jwks does not work.\n")
    assert f"jwks: failed (reason: {issuer.url.removeprefix('http://')} answers 404)" in done.stdout
    assert "tools: ok" in done.stdout
    assert "inside" not in done.stdout
    done = provider("doctor", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["status"] == "failed"


def test_a_set_without_a_key_that_fits_is_broken(provider, issuer):
    issuer.keys.clear()
    done = provider("doctor")
    assert done.returncode == 1
    assert "jwks: failed (keysFound: 0)" in done.stdout


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ({"AUTH_MODE": "provider"}, "needs PROVIDER_ISSUER"),
        ({"AUTH_MODE": "everybody"}, "AUTH_MODE must be one of"),
        ({"MCP_SERVER_HOST": "0.0.0.0"}, "needs PUBLIC_URL"),
    ],
)
def test_settings_with_which_no_server_starts_are_one_sentence(mcpx, env, problem):
    mcpx.env |= env
    assert problem in mcpx.refused("doctor")
    done = mcpx("doctor", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["status"]) == (1, "failed")
    assert problem in found["problem"]
    assert list(mcpx.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"AUTH_MODE": "provider", "PROVIDER_ISUER": "https://x"},
            ["PROVIDER_ISUER is set, and is no setting: is PROVIDER_ISSUER meant?"],
        ),
        (
            {"NEONPANEL_APIBASE": "https://x"},
            ["NEONPANEL_APIBASE is set, and is no setting: is NEONPANEL_API_BASE meant?"],
        ),
        ({"PRESETS": "neonpanel", "PRESET": ""}, []),
        (
            {"NEONPANEL_OAUTH_ISSUERS": "x"},
            ["NEONPANEL_OAUTH_ISSUERS is set, and is no setting: is NEONPANEL_OAUTH_ISSUER meant?"],
        ),
        ({"AWS_REGION": "eu-west-1", "HOME": "/root", "OPENAI_ORG_ID": "o"}, []),
    ],
)
def test_a_setting_that_is_misspelled_is_told(mcpx, given, said):
    mcpx.env |= given
    assert [line for line in mcpx("doctor").stdout.splitlines() if "no setting" in line] == [
        f"Notice: {line}" for line in said
    ]


def test_a_broken_store_is_found(mcpx):
    (mcpx.folder / "broken.db").write_text("no database at all, but long enough to be taken for one" * 40)
    mcpx.env["AUTH_DB_PATH"] = "broken.db"
    done = mcpx("doctor")
    assert done.returncode == 1
    assert "store: failed (reason: " in done.stdout
    assert done.stderr.startswith("mcpx: store")
    assert "Traceback" not in done.stdout + done.stderr


def test_where_anybody_may_call_it_says_so():
    assert [notice.partition(":")[0] for notice in examined({"AUTH_MODE": "noauth"}).notices] == ["AUTH_MODE=noauth"]


@pytest.mark.parametrize("command", ["serve", "lambda"])
def test_a_server_with_a_provider_starts_and_speaks_of_no_user(provider, issuer, command):
    with running(command, env=provider.env) as server:
        server.wait_for("Ctrl-C stops it.")
        assert "mcpuser" not in server.output
        assert f"The client opens the sign-in page of {issuer.url}," in server.output
        if command == "serve":
            assert "PROVIDER_AUDIENCE is not set" in server.output
    assert list(provider.folder.iterdir()) == []
