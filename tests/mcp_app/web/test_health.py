import re

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.tools import utility
from mcp_app.tools.registry import Registry, discover
from mcp_app.version import VERSION
from mcp_app.web.checks import deep_checks
from mcp_app.web.health import Health
from tests.support.serve import connected

SETTINGS = Settings(name="shop")


def ticking(*moments: float):
    return iter(moments).__next__


async def fine():
    return {"status": "ok", "keysFound": 2}


async def broken():
    raise RuntimeError("arn:aws:secretsmanager:eu-west-1:1:secret:inside")


def app_with(checks, clock=None, settings=SETTINGS):
    health = Health(settings, checks, clock) if clock else Health(settings, checks)
    return Starlette(routes=[Route("/healthz", health.get)])


def test_the_shallow_check_says_who_and_how_long_and_runs_nothing():
    with connected(app_with({"jwks": broken}, ticking(1_700_000_000.0, 1_700_000_001.5))) as client:
        reply = client.get("/healthz")
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json() == {
        "status": "ok",
        "service": "shop",
        "version": VERSION,
        "timestamp": "2023-11-14T22:13:21.500Z",
        "uptimeSeconds": 1.5,
    }


def test_the_deep_check_shows_what_each_part_found():
    with connected(app_with({"jwks": fine})) as client:
        reply = client.get("/healthz?deep=1")
    assert reply.status_code == 200
    assert reply.json()["jwks"] == {"status": "ok", "keysFound": 2}


def test_a_broken_part_is_a_503_that_shows_nothing_of_why(caplog):
    with connected(app_with({"jwks": fine, "secrets": broken})) as client:
        reply = client.get("/healthz?deep=1")
    assert reply.status_code == 503
    body = reply.json()
    assert (body["status"], body["jwks"]["status"], body["secrets"]) == ("failed", "ok", {"status": "failed"})
    assert "arn:aws" not in reply.text
    assert "health check secrets failed" in caplog.text


@pytest.mark.parametrize("query", ["", "?deep=0", "?deep=false", "?deep="])
def test_deep_is_only_on_request(query):
    with connected(app_with({"jwks": broken})) as client:
        assert "jwks" not in client.get(f"/healthz{query}").json()


def test_a_monitor_may_ask_by_head():
    with connected(app_with({})) as client:
        reply = client.head("/healthz")
    assert (reply.status_code, reply.content) == (200, b"")


def test_time_that_goes_back_shows_no_negative_uptime():
    with connected(app_with({}, ticking(100.0, 50.0))) as client:
        assert client.get("/healthz").json()["uptimeSeconds"] == 0


def checks_for(settings):
    return deep_checks(settings, Registry(discover(utility)), Secrets(settings))


def test_the_tools_are_counted_and_described():
    with connected(app_with(checks_for(SETTINGS))) as client:
        body = client.get("/healthz?deep=1").json()
    assert body["tools"] == {"status": "ok", "count": len(Registry(discover(utility)).tools)}
    assert "secrets" not in body


def test_secrets_that_cannot_be_read_are_a_failure(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETSMANAGER", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    settings = Settings(server_secret_arn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:server")
    with connected(app_with(checks_for(settings))) as client:
        client.timeout = 30
        reply = client.get("/healthz?deep=1")
    assert reply.status_code == 503
    assert reply.json()["secrets"] == {"status": "failed"}
    assert not re.search("arn:|127.0.0.1:9", reply.text)


def test_secrets_given_in_the_environment_are_reachable():
    settings = Settings(
        server_secret="s" * 32, server_secret_arn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:server"
    )
    with connected(app_with(checks_for(settings))) as client:
        assert client.get("/healthz?deep=1").json()["secrets"] == {"status": "ok", "configured": 1}
