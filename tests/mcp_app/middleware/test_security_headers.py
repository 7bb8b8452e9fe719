import pytest
from starlette.responses import PlainTextResponse

from mcp_app.middleware.security_headers import SecurityHeadersMiddleware
from mcp_app.settings import Settings
from tests.support.lambda_scope import OnLambda
from tests.support.serve import connected

hello = PlainTextResponse("hello")


def test_every_reply_says_what_browsers_may_not_do():
    with connected(SecurityHeadersMiddleware(hello, Settings())) as client:
        headers = client.get("/").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_policy_of_the_replys_own_stays():
    own = PlainTextResponse("page", headers={"Content-Security-Policy": "default-src 'self'"})
    with connected(SecurityHeadersMiddleware(own, Settings())) as client:
        assert client.get("/").headers.get_list("content-security-policy") == ["default-src 'self'"]


@pytest.mark.parametrize(
    ("settings", "domain", "secure"),
    [
        (Settings(), None, False),
        (Settings(public_url="http://127.0.0.1:8000"), None, False),
        (Settings(public_url="https://localhost:8443"), None, False),
        (Settings(public_url="http://mcp.example.com"), None, False),
        (Settings(public_url="https://mcp.example.com"), None, True),
        (Settings(lambda_function="mcp"), "abc.lambda-url.eu-west-1.on.aws", True),
        (Settings(lambda_function="mcp", public_url="http://127.0.0.1:1"), "abc.lambda-url.eu-west-1.on.aws", False),
    ],
)
def test_https_is_made_to_stick_where_clients_come_by_it(settings, domain, secure):
    app = SecurityHeadersMiddleware(hello, settings)
    with connected(OnLambda(app, domain) if domain else app) as client:
        assert ("strict-transport-security" in client.get("/").headers) is secure
