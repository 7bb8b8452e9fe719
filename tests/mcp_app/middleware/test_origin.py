import contextlib
import functools

import httpx2
import pytest
from starlette.responses import PlainTextResponse

from mcp_app.middleware.origin import OriginMiddleware
from mcp_app.settings import Settings
from tests.support.lambda_scope import OnLambda
from tests.support.serve import connected, served

PUBLIC = Settings(host="0.0.0.0", public_url="https://mcp.example.com", allowed_origins="https://app.example")
LOOPBACK = Settings()
DOMAIN = "abc.lambda-url.eu-west-1.on.aws"

hello = PlainTextResponse("hello")


@pytest.fixture(scope="module")
def client_of():
    """A client of the middleware by its settings; one server for all tests that share them."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def client(settings):
            return stack.enter_context(connected(OriginMiddleware(hello, settings)))

        yield client


@pytest.mark.parametrize(
    ("settings", "origin", "status"),
    [
        (PUBLIC, None, 200),
        (PUBLIC, "https://mcp.example.com", 200),
        (PUBLIC, "https://app.example", 200),
        (PUBLIC, "https://evil.example", 403),
        (PUBLIC, "http://mcp.example.com", 403),
        (PUBLIC, "https://mcp.example.com.evil.example", 403),
        (PUBLIC, "https://mcp.example.com:8443", 403),
        (PUBLIC, "http://localhost:6274", 403),
        (PUBLIC, "null", 403),
        (PUBLIC, "", 403),
        (LOOPBACK, None, 200),
        (LOOPBACK, "http://localhost:6274", 200),
        (LOOPBACK, "http://127.0.0.1:1", 200),
        (LOOPBACK, "http://[::1]:5173", 200),
        (LOOPBACK, "https://localhost", 200),
        (LOOPBACK, "http://localhost.evil.example", 403),
        (LOOPBACK, "http://evil.example", 403),
        (LOOPBACK, "http://evil@localhost", 403),
        (LOOPBACK, "chrome-extension://localhost", 403),
        (LOOPBACK, "null", 403),
        (Settings(allowed_origins="http://dev.example"), "http://dev.example", 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_origin_is_allowed_or_refused(client_of, settings, origin, status, method):
    headers = {} if origin is None else {"Origin": origin}
    reply = client_of(settings).request(method, "/mcp", headers=headers)
    assert reply.status_code == (204 if status == 200 and method == "OPTIONS" else status)
    if status == 403:
        assert reply.json()["error"] == "origin_not_allowed"
        assert "access-control-allow-origin" not in reply.headers


def test_on_lambda_the_events_domain_is_our_own_origin():
    app = OnLambda(OriginMiddleware(hello, Settings(lambda_function="mcp")), DOMAIN)
    with connected(app) as client:
        assert client.get("/", headers={"Origin": f"https://{DOMAIN}"}).status_code == 200
        forged = {"Origin": "https://evil.example", "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        assert client.get("/", headers=forged).status_code == 403


def test_a_configured_public_url_goes_before_the_events_domain():
    settings = Settings(lambda_function="mcp", public_url="https://mcp.example.com")
    with connected(OnLambda(OriginMiddleware(hello, settings), DOMAIN)) as client:
        assert client.get("/", headers={"Origin": "https://mcp.example.com"}).status_code == 200
        assert client.get("/", headers={"Origin": f"https://{DOMAIN}"}).status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:9", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("rebound.example", 403),
        ("localhost.evil.example", 403),
        ("evil.example@localhost", 403),
        ("169.254.169.254", 403),
        ("", 403),
    ],
)
def test_on_loopback_the_host_must_be_this_machine(client_of, host, status):
    reply = client_of(LOOPBACK).get("/", headers={"Host": host})
    assert reply.status_code == status
    if status == 403:
        assert reply.json()["error"] == "host_not_allowed"


def test_a_refusal_tells_the_operator_what_was_refused(client_of, caplog):
    client_of(PUBLIC).get("/", headers={"Origin": "https://new-client.example"})
    client_of(LOOPBACK).get("/", headers={"Host": "x" * 1000})
    refused = [record for record in caplog.records if record.name == "mcp_app.middleware.origin"]
    assert [record.message for record in refused] == [
        "origin refused; ALLOWED_ORIGINS may name it",
        "host refused; PUBLIC_URL may name it",
    ]
    assert (refused[0].origin, refused[1].host) == ("https://new-client.example", "x" * 200)


def test_in_public_the_host_is_just_a_name():
    with connected(OriginMiddleware(hello, PUBLIC)) as client:
        assert client.get("/", headers={"Host": "internal-lb-123.elb.amazonaws.com"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/mcp", "/messages", "/sse", "/oauth/token", "/oauth/register", "/.well-known/oauth-protected-resource/mcp"],
)
def test_a_preflight_is_answered_with_and_without_an_origin(client_of, path):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    client = client_of(PUBLIC)
    bare = client.options(path, headers=asked)
    cross = client.options(path, headers={**asked, "Origin": "https://app.example"})
    for reply, allowed in ((bare, "https://mcp.example.com"), (cross, "https://app.example")):
        assert reply.status_code == 204
        assert reply.content == b""
        assert reply.headers["access-control-allow-origin"] == allowed
        assert {"POST", "GET", "DELETE"} <= set(reply.headers["access-control-allow-methods"].split(", "))
        assert {"Authorization", "Content-Type", "MCP-Protocol-Version", "Mcp-Session-Id"} <= set(
            reply.headers["access-control-allow-headers"].split(", ")
        )
        assert "Origin" in reply.headers["vary"]


def test_a_preflight_allows_the_headers_that_mirror_arguments_and_no_others():
    asked = {"Origin": "https://app.example", "Access-Control-Request-Headers": "Mcp-Param-Region, X-Evil, mcp-param-"}
    with connected(OriginMiddleware(hello, PUBLIC)) as client:
        allowed = client.options("/mcp", headers=asked).headers["access-control-allow-headers"].lower().split(", ")
    assert "mcp-param-region" in allowed
    assert not {"x-evil", "mcp-param-"} & set(allowed)


def test_options_elsewhere_is_the_apps():
    with connected(OriginMiddleware(hello, PUBLIC)) as client:
        assert client.options("/healthz").text == "hello"
        assert client.options("/.well-known").text == "hello"


def test_a_shared_reply_shows_the_headers_that_clients_need():
    with connected(OriginMiddleware(hello, PUBLIC)) as client:
        shared = client.post("/mcp", headers={"Origin": "https://app.example"}).headers
        plain = client.post("/mcp").headers
    assert shared["access-control-allow-origin"] == "https://app.example"
    exposed = set(shared["access-control-expose-headers"].split(", "))
    assert exposed == {
        "WWW-Authenticate",
        "x-amzn-Remapped-WWW-Authenticate",
        "Retry-After",
        "Mcp-Session-Id",
        "MCP-Protocol-Version",
        "X-Request-Id",
    }
    assert "access-control-allow-origin" not in plain
    assert shared["vary"] == plain["vary"] == "Origin"


def test_an_ipv6_loopback_server_answers():
    with served(OriginMiddleware(hello, Settings(host="::1")), host="::1") as url:
        assert httpx2.get(url, trust_env=False).text == "hello"


@pytest.mark.parametrize("path", ["/login", "/logout", "/account", "/oauth/authorize"])
@pytest.mark.parametrize("settings", [PUBLIC, LOOPBACK])
def test_a_form_of_a_page_that_tells_no_referrer_comes_through(client_of, settings, path):
    assert client_of(settings).post(path, headers={"Origin": "null"}).status_code == 200


@pytest.mark.parametrize("path", ["/login", "/account", "/oauth/authorize"])
def test_a_form_of_a_foreign_page_does_not(client_of, path):
    assert client_of(PUBLIC).post(path, headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize("path", ["/oauth/token", "/mcp", "/login/", "/LOGIN"])
def test_a_hidden_origin_is_refused_everywhere_else(client_of, path):
    assert client_of(PUBLIC).post(path, headers={"Origin": "null"}).status_code == 403


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/login", "/account", "/oauth/authorize"])
def test_pages_are_shared_with_no_origin_not_even_an_allowed_one(client_of, path, method):
    reply = client_of(PUBLIC).request(method, path, headers={"Origin": "https://app.example"})
    assert not [name for name in reply.headers if name.startswith("access-control-")]
