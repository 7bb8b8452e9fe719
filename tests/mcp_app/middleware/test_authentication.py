import pytest
from starlette.responses import PlainTextResponse

from auth.errors import TemporarilyUnavailableError
from auth.principal import Principal
from auth.verify.authenticator import RefusedError
from auth.verify.noauth import NoAuthenticator
from mcp_app.challenge import Challenges
from mcp_app.middleware.authentication import AuthenticationMiddleware
from store.protocol import StoreUnavailableError
from tests.support.serve import connected

ISSUER = "https://mcp.example.com"
METADATA = f"{ISSUER}/.well-known/oauth-protected-resource"


async def who(scope, receive, send):
    await PlainTextResponse(scope["principal"].subject)(scope, receive, send)


class ByHeader:
    async def authenticate(self, scope):
        return Principal(dict(scope["headers"])[b"x-user"].decode())


class Raising:
    def __init__(self, error):
        self.error = error

    async def authenticate(self, scope):
        raise self.error


def answered(error, *, path="/mcp", public_discovery=False, issuer=ISSUER):
    guard = AuthenticationMiddleware(
        who,
        Raising(error),
        challenges=issuer and Challenges(lambda scope: issuer),
        public_discovery=public_discovery,
    )
    with connected(guard) as client:
        return client.post(path)


def test_without_authentication_everybody_is_anonymous():
    with connected(AuthenticationMiddleware(who, NoAuthenticator())) as client:
        assert client.post("/", headers={"Authorization": "Bearer whatever"}).text == "anonymous"


def test_the_authenticator_decides_for_each_request():
    with connected(AuthenticationMiddleware(who, ByHeader())) as client:
        assert [client.post("/", headers={"X-User": user}).text for user in ("ann", "bob")] == ["ann", "bob"]


def test_who_sends_no_token_gets_a_bare_challenge():
    reply = answered(RefusedError(None, "Send a token."))
    assert (reply.status_code, reply.json()) == (
        401,
        {"error": "unauthorized", "error_description": "Send a token."},
    )
    assert reply.headers["www-authenticate"] == (
        f'Bearer realm="mcp", resource_metadata="{METADATA}/mcp", scope="mcp.read mcp.tools"'
    )
    assert reply.headers["cache-control"] == "no-store"


def test_who_sends_a_bad_token_is_told_so():
    reply = answered(RefusedError("invalid_token", "The token has ended."))
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")
    assert reply.headers["www-authenticate"] == (
        'Bearer realm="mcp", error="invalid_token", error_description="The token has ended.", '
        f'resource_metadata="{METADATA}/mcp", scope="mcp.read mcp.tools"'
    )


def test_the_front_page_stands_for_the_bare_origin():
    header = answered(RefusedError(None, "Send a token."), path="/").headers["www-authenticate"]
    assert f'resource_metadata="{METADATA}"' in header


def test_a_request_that_no_token_would_repair_is_a_400():
    reply = answered(RefusedError("invalid_request", "Send the token in the header.", 400))
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")
    assert 'error="invalid_request"' in reply.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [(StoreUnavailableError("refused", 7), "7"), (TemporarilyUnavailableError("KMS is slow"), "2")],
)
def test_what_cannot_be_told_now_is_a_503_that_says_when_to_ask_again(failure, seconds):
    reply = answered(failure)
    assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
    assert (reply.headers["retry-after"], reply.headers["cache-control"]) == (seconds, "no-store")
    assert "www-authenticate" not in reply.headers


def test_while_discovery_is_public_who_sends_no_token_is_a_visitor_and_a_bad_token_is_still_refused():
    assert answered(RefusedError(None, "Send a token."), public_discovery=True).text == "visitor"
    assert answered(RefusedError("invalid_token", "It has ended."), public_discovery=True).status_code == 401


def test_where_requests_are_signed_no_metadata_is_promised():
    reply = answered(RefusedError(None, "Sign the request."), issuer=None)
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, 'AWS4-HMAC-SHA256 realm="mcp"')


def test_a_challenge_holds_no_character_that_would_end_it_early():
    reply = answered(RefusedError("invalid_token", 'a "quoted" \\ word\r\nX: 1 é'))
    assert "error_description=\"a 'quoted' ' word''X: 1 '\"" in reply.headers["www-authenticate"]
