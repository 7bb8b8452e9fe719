import pytest

from tests.support.auth_server import Running, confidential_client, public_client
from tests.support.granting import Dance, new_dance

BASIC = ("backend", "backend-secret")
INACTIVE = {"active": False}


@pytest.fixture
def backend(auth: Running) -> Dance:
    return new_dance(auth, confidential_client())


def tokens(backend: Dance) -> dict[str, str]:
    found: dict[str, str] = backend.redeem(backend.code(), auth=BASIC).json()
    return found


def ask(backend: Dance, token: str, **form: str) -> dict[str, object]:
    reply = backend.post("/oauth/introspect", auth=BASIC, token=token, **form)
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    found: dict[str, object] = reply.json()
    return found


def test_a_client_learns_what_its_access_token_is_good_for(backend: Dance) -> None:
    found = ask(backend, tokens(backend)["access_token"], token_type_hint="refresh_token")
    assert found.pop("jti")
    assert found == {
        "active": True,
        "scope": "mcp.read mcp.tools",
        "client_id": "backend",
        "token_type": "Bearer",
        "sub": backend.user.id,
        "aud": backend.resource,
        "iss": backend.auth.issuer,
        "exp": backend.auth.clock.now + 3600,
    }


def test_a_client_learns_what_its_refresh_token_is_good_for(backend: Dance) -> None:
    assert ask(backend, tokens(backend)["refresh_token"]) == {
        "active": True,
        "scope": "mcp.read mcp.tools",
        "client_id": "backend",
        "sub": backend.user.id,
        "aud": backend.resource,
        "exp": backend.auth.clock.now + 30 * 86400,
    }


def test_a_token_that_a_client_has_for_itself_is_active_until_it_expires(backend: Dance) -> None:
    token = backend.post(auth=BASIC, grant_type="client_credentials").json()["access_token"]
    assert ask(backend, token)["sub"] == "client:backend"
    backend.auth.clock.advance(900 + 61)
    assert ask(backend, token) == INACTIVE


def test_revoked_tokens_are_inactive(backend: Dance) -> None:
    found = tokens(backend)
    backend.auth.call(backend.auth.server.grants.revoke, found["refresh_token"].partition(".")[0], "by the test")
    assert ask(backend, found["access_token"]) == INACTIVE
    assert ask(backend, found["refresh_token"]) == INACTIVE


def test_expired_tokens_are_inactive(backend: Dance) -> None:
    found = tokens(backend)
    backend.auth.clock.advance(3600 + 61)
    assert ask(backend, found["access_token"]) == INACTIVE
    assert ask(backend, found["refresh_token"])["active"] is True
    backend.auth.clock.advance(30 * 86400)
    assert ask(backend, found["refresh_token"]) == INACTIVE


def test_a_superseded_refresh_token_is_active_while_it_would_be_answered_and_asking_ends_nothing(
    backend: Dance,
) -> None:
    first = tokens(backend)["refresh_token"]
    second = backend.refreshed(first, auth=BASIC)
    assert ask(backend, first)["active"] is True
    backend.auth.clock.advance(61)
    assert ask(backend, first) == INACTIVE
    assert ask(backend, second)["active"] is True
    assert not backend.grant(second).revoked


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_must_9_another_clients_token_is_inactive(backend: Dance, kind: str) -> None:
    other = backend.auth.add(confidential_client("other"))
    theirs = tokens(backend)[kind]
    reply = backend.post("/oauth/introspect", auth=(other.id, "backend-secret"), token=theirs)
    assert reply.json() == INACTIVE
    public = Dance(backend.auth, backend.user, backend.auth.add(public_client()))
    assert ask(backend, public.tokens()[kind]) == INACTIVE


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", f"{'0' * 32}.0.{'x' * 43}", "x" * 20000])
def test_what_was_never_a_token_is_inactive(backend: Dance, token: str) -> None:
    assert ask(backend, token) == INACTIVE


def test_only_a_client_with_a_secret_may_ask(backend: Dance) -> None:
    public = Dance(backend.auth, backend.user, backend.auth.add(public_client()))
    theirs = public.tokens()["access_token"]
    reply = public.post("/oauth/introspect", token=theirs)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")
    assert "active" not in reply.json()
    assert backend.post("/oauth/introspect", auth=("backend", "wrong"), token=theirs).status_code == 401
    assert backend.post("/oauth/introspect", auth=BASIC).json()["error"] == "invalid_request"
