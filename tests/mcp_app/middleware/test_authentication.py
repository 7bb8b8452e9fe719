from starlette.responses import PlainTextResponse

from auth.principal import Principal
from auth.verify.noauth import NoAuthenticator
from mcp_app.middleware.authentication import AuthenticationMiddleware
from tests.support.serve import connected


async def who(scope, receive, send):
    await PlainTextResponse(scope["principal"].subject)(scope, receive, send)


class ByHeader:
    async def authenticate(self, scope):
        return Principal(dict(scope["headers"])[b"x-user"].decode())


def test_without_authentication_everybody_is_anonymous():
    with connected(AuthenticationMiddleware(who, NoAuthenticator())) as client:
        assert client.get("/", headers={"Authorization": "Bearer whatever"}).text == "anonymous"


def test_the_authenticator_decides_for_each_request():
    with connected(AuthenticationMiddleware(who, ByHeader())) as client:
        assert [client.get("/", headers={"X-User": user}).text for user in ("ann", "bob")] == ["ann", "bob"]
