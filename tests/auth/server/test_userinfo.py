import pytest

from tests.support.auth_server import Running, confidential_client
from tests.support.granting import Dance, new_dance


def ask(auth: Running, token: str | bytes | None = None, method: str = "GET", **more: str):
    encoded = token.encode() if isinstance(token, str) else token
    headers = {} if encoded is None else {"Authorization": b"Bearer " + encoded}
    reply = auth.client.request(method, "/oauth/userinfo", headers=headers, params=more)
    assert reply.headers["cache-control"] == "no-store"
    return reply


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_tells_whose_it_is(dance: Dance, method: str) -> None:
    reply = ask(dance.auth, dance.tokens()["access_token"], method)
    assert reply.status_code == 200
    assert reply.json() == {"sub": dance.user.id, "preferred_username": "alice"}


def test_a_clients_own_token_has_no_username(auth: Running) -> None:
    backend = new_dance(auth, confidential_client())
    token = backend.post(auth=("backend", "backend-secret"), grant_type="client_credentials").json()["access_token"]
    assert ask(auth, token).json() == {"sub": "client:backend"}


def test_without_a_token_there_is_a_bare_challenge(auth: Running) -> None:
    reply = ask(auth)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith("Bearer ")
    assert "error" not in reply.headers["www-authenticate"]


@pytest.mark.parametrize("token", ["x", "a.b.c", b"\xff\xfe", "x" * 20000])
def test_must_12_a_token_that_is_none_is_401(auth: Running, token: str | bytes) -> None:
    reply = ask(auth, token)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]


def test_a_refresh_token_an_expired_or_a_revoked_one_tells_nothing(dance: Dance) -> None:
    tokens = dance.tokens()
    assert ask(dance.auth, tokens["refresh_token"]).status_code == 401
    dance.auth.call(dance.auth.server.grants.revoke, dance.grant(tokens["refresh_token"]).id, "by the test")
    assert ask(dance.auth, tokens["access_token"]).status_code == 401
    later = dance.tokens()["access_token"]
    dance.auth.clock.advance(3600 + 61)
    assert ask(dance.auth, later).status_code == 401


def test_a_token_in_the_url_is_refused(dance: Dance) -> None:
    reply = ask(dance.auth, access_token=dance.tokens()["access_token"])
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")
