import pytest

from tests.support.auth_server import Running, confidential_client, public_client
from tests.support.granting import Dance, new_dance

BASIC = ("backend", "backend-secret")


def alive(dance: Dance, token: str) -> bool:
    return dance.grant(token).revoked is None


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
@pytest.mark.parametrize("hint", [None, "refresh_token", "access_token", "nonsense"])
def test_a_client_gives_up_its_grant_by_either_token_whatever_the_hint(
    dance: Dance, kind: str, hint: str | None
) -> None:
    tokens = dance.tokens()
    reply = dance.post("/oauth/revoke", token=tokens[kind], token_type_hint=hint)
    assert reply.status_code == 200
    assert reply.content == b""
    assert reply.headers["cache-control"] == "no-store"
    assert not alive(dance, tokens["refresh_token"])
    assert dance.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert dance.auth.names().count("grant_revoked") == dance.auth.names().count("token_revoked") == 1
    again = dance.post("/oauth/revoke", token=tokens[kind])
    assert again.status_code == 200
    assert dance.auth.names().count("grant_revoked") == 1


def test_a_superseded_refresh_token_gives_up_the_grant_too(dance: Dance) -> None:
    token = dance.tokens()["refresh_token"]
    dance.refreshed(token)
    dance.post("/oauth/revoke", token=token)
    assert not alive(dance, token)


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_must_9_another_clients_token_is_answered_with_200_and_not_revoked(dance: Dance, kind: str) -> None:
    dance.auth.add(public_client("another"))
    dance.auth.add(confidential_client())
    tokens = dance.tokens()
    assert dance.post("/oauth/revoke", token=tokens[kind], client_id="another").status_code == 200
    assert dance.post("/oauth/revoke", token=tokens[kind], auth=BASIC).status_code == 200
    assert alive(dance, tokens["refresh_token"])
    assert dance.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", f"{'0' * 32}.0.{'x' * 43}", "x" * 20000])
def test_a_token_that_never_was_is_answered_with_200(dance: Dance, token: str) -> None:
    assert dance.post("/oauth/revoke", token=token).status_code == 200


def test_a_forged_tag_or_signature_revokes_nothing(dance: Dance) -> None:
    tokens = dance.tokens()
    for kind in ("refresh_token", "access_token"):
        forged = tokens[kind].rpartition(".")[0] + "." + "x" * 43
        assert dance.post("/oauth/revoke", token=forged).status_code == 200
    assert alive(dance, tokens["refresh_token"])


def test_an_expired_access_token_revokes_nothing(dance: Dance) -> None:
    tokens = dance.tokens()
    dance.auth.clock.advance(3600 + 61)
    assert dance.post("/oauth/revoke", token=tokens["access_token"]).status_code == 200
    assert alive(dance, tokens["refresh_token"])


def test_a_clients_own_token_is_said_not_to_be_revocable(auth: Running) -> None:
    backend = new_dance(auth, confidential_client())
    token = backend.post(auth=BASIC, grant_type="client_credentials").json()["access_token"]
    reply = backend.post("/oauth/revoke", auth=BASIC, token=token)
    assert (reply.status_code, reply.json()["error"]) == (400, "unsupported_token_type")


def test_a_client_says_who_it_is_and_which_token_it_means(auth: Running) -> None:
    backend = new_dance(auth, confidential_client())
    assert backend.post("/oauth/revoke", auth=BASIC).status_code == 400
    assert backend.post("/oauth/revoke", auth=("backend", "wrong"), token="x").status_code == 401
    assert backend.post("/oauth/revoke", token="x").status_code == 401
