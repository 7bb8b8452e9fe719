"""Codes and client credentials at the token endpoint."""

import base64
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from auth.errors import TemporarilyUnavailableError
from auth.keys.keys import Keys
from auth.records import client_key, encode, user_key
from auth.server import authorization_code
from auth.server.config import Config, Limits
from store.protocol import StoreUnavailableError
from tests.support.auth_server import PLENTY, Running, auth_server, claims, confidential_client, public_client
from tests.support.granting import REDIRECT_URI, VERIFIER, Dance, new_dance

BASIC = ("backend", "backend-secret")


def refused(reply: Any, error: str, status: int = 400) -> bool:
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["pragma"] == "no-cache"
    assert (reply.status_code, reply.json()["error"]) == (status, error), reply.text
    assert reply.json()["error_description"]
    return True


def test_a_code_is_good_for_tokens_of_what_the_user_allowed(dance: Dance) -> None:
    reply = dance.redeem(dance.code(), resource=dance.resource)
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["pragma"] == "no-cache"
    tokens = reply.json()
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, "mcp.read mcp.tools")
    said = claims(tokens["access_token"])
    assert said["iss"] == dance.auth.issuer
    assert said["sub"] == dance.user.id
    assert said["aud"] == dance.resource
    assert said["client_id"] == dance.client.id
    assert said["gid"] == dance.grant(tokens["refresh_token"]).id
    assert said["exp"] - said["iat"] == 3600


def test_a_code_of_a_client_without_refresh_tokens_gives_none_and_its_grant_outlives_its_token(auth: Running) -> None:
    short = new_dance(auth, public_client(grant_types=("authorization_code",)))
    code = short.code()
    tokens = short.redeem(code).json()
    assert "refresh_token" not in tokens
    auth.clock.advance(3600)
    assert not short.grant(code).revoked
    auth.clock.advance(61)
    with pytest.raises(AssertionError):
        short.grant(code)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "https://app.example/callback/",
        "https://app.example/callback?x=1",
        "https://APP.example/callback",
        "http://app.example/callback",
        "https://evil.example/",
    ],
)
def test_must_1_a_code_is_good_with_the_redirect_uri_of_its_request_only(dance: Dance, wrong: str | None) -> None:
    code = dance.code()
    assert refused(dance.redeem(code, redirect_uri=wrong), "invalid_grant" if wrong else "invalid_request")
    assert dance.redeem(code).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "error"), [(None, "invalid_request"), ("w" * 43, "invalid_grant"), ("short", "invalid_grant")]
)
def test_must_2_a_code_is_good_with_its_verifier_only(dance: Dance, wrong: str | None, error: str) -> None:
    code = dance.code()
    assert refused(dance.redeem(code, code_verifier=wrong), error)
    assert refused(dance.redeem(code, code_verifier=wrong, code_challenge_method="plain"), error)
    assert dance.redeem(code).status_code == 200


OTHER_RESOURCES = ["https://other.example/mcp", "{issuer}/other", "{issuer}/sse", "{issuer}/mcp/", "mcp"]


@pytest.mark.parametrize("wrong", OTHER_RESOURCES)
def test_must_6_a_code_is_good_for_the_resource_of_its_request_only(dance: Dance, wrong: str) -> None:
    code = dance.code()
    assert refused(dance.redeem(code, resource=wrong.format(issuer=dance.auth.issuer)), "invalid_target")
    assert dance.redeem(code).status_code == 200


def test_must_7_a_code_used_twice_is_refused_and_ends_the_grant(dance: Dance) -> None:
    code = dance.code()
    tokens = dance.redeem(code).json()
    assert refused(dance.redeem(code), "invalid_grant")
    assert dance.grant(code).revoked
    assert refused(dance.refresh(tokens["refresh_token"]), "invalid_grant")
    replayed = [event for event in dance.auth.events if event.alarming]
    assert [event.name for event in replayed] == ["code_replayed"]
    assert refused(dance.redeem(code), "invalid_grant")
    assert dance.auth.names().count("grant_revoked") == 1


def test_must_7_a_replay_is_known_for_one_long_after_the_code_expired_and_after_refreshes(dance: Dance) -> None:
    code = dance.code()
    token = dance.redeem(code).json()["refresh_token"]
    dance.auth.clock.advance(3599)
    token = dance.refreshed(token)
    assert refused(dance.redeem(code), "invalid_grant")
    assert refused(dance.refresh(token), "invalid_grant")


def test_a_used_code_that_comes_after_an_hour_is_refused_and_harms_nothing(dance: Dance) -> None:
    code = dance.code()
    token = dance.redeem(code).json()["refresh_token"]
    dance.auth.clock.advance(3600)
    assert refused(dance.redeem(code), "invalid_grant")
    assert dance.refresh(token).status_code == 200


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize(
    "forgery",
    [
        {"code": None},
        {"redirect_uri": "https://evil.example/"},
        {"code_verifier": "w" * 43},
        {"resource": "https://evil.example/"},
        {"client_id": "another"},
    ],
)
def test_must_7_a_forged_or_misused_code_harms_nobodys_grant(
    dance: Dance, forgery: dict[str, str | None], used: bool
) -> None:
    dance.auth.add(public_client("another"))
    code = dance.code()
    token = dance.redeem(code).json()["refresh_token"] if used else None
    forged = {"code": authorization_code.write(code.partition(".")[0], "x" * 43)} if "code" in forgery else forgery
    assert dance.redeem(code, **forged).status_code == 400
    assert not dance.grant(code).revoked
    assert not any(event.alarming for event in dance.auth.events)
    assert (dance.refresh(token) if token else dance.redeem(code)).status_code == 200


@pytest.mark.parametrize("code", ["x", "a.b", "0" * 32 + "." + "x" * 43, "é.ü", "grant#1.x", "x" * 5000])
def test_a_code_that_never_was_is_refused(dance: Dance, code: str) -> None:
    assert refused(dance.redeem(code), "invalid_grant")


def test_a_code_is_good_for_a_minute(dance: Dance) -> None:
    code, late = dance.code(), dance.code()
    dance.auth.clock.advance(59)
    assert dance.redeem(code).status_code == 200
    dance.auth.clock.advance(1)
    assert refused(dance.redeem(late), "invalid_grant")


def test_must_20_a_code_that_expires_while_it_is_redeemed_is_refused(dance: Dance) -> None:
    code = dance.code()
    dance.auth.clock.advance(59.999)

    async def slow(*_: Any) -> None:
        dance.auth.clock.advance(1)

    redeem = dance.auth.server.grants.redeem
    with pytest.raises(Exception, match="The code is unknown, used, expired") as refusal:
        dance.auth.call(
            redeem,
            code,
            client=dance.client,
            redirect_uri=REDIRECT_URI,
            verifier=VERIFIER,
            resource=None,
            prepare=slow,
        )
    assert type(refusal.value).__name__ == "InvalidGrantError"


@pytest.mark.parametrize("change", [{"epoch": 1}, {"disabled": True}, {"epoch": 1, "disabled": True}])
def test_a_code_from_before_the_user_was_disabled_or_changed_the_password_is_dead(
    dance: Dance, change: dict[str, Any]
) -> None:
    code = dance.code()
    store = dance.auth.server.store
    seen = dance.auth.call(store.get, user_key(dance.user.id))
    assert seen
    assert dance.auth.call(store.replace, seen, encode(dance.user._replace(**change)))
    assert refused(dance.redeem(code), "invalid_grant")


def test_a_code_of_a_user_who_was_removed_is_dead(dance: Dance) -> None:
    code = dance.code()
    dance.auth.call(dance.auth.server.store.delete, user_key(dance.user.id))
    assert refused(dance.redeem(code), "invalid_grant")


def test_a_key_service_that_is_down_costs_nobody_a_code_or_a_refresh_token(auth: Running) -> None:
    class Failing(Keys):
        down = True

        async def sign(self, *args: Any) -> str:
            if self.down:
                raise TemporarilyUnavailableError("The server cannot use its keys now.", 3)
            return await super().sign(*args)

    keys = Failing(
        auth.server.store, folder=None, kms_key=None, hmac_secret=b"x" * 32, access_token=3600, clock=auth.clock
    )
    auth.server.keys = keys
    ours = new_dance(auth)
    code = ours.code()
    assert refused(ours.redeem(code), "temporarily_unavailable", 503)
    keys.down = False
    token = ours.redeem(code).json()["refresh_token"]
    keys.down = True
    reply = ours.refresh(token)
    assert refused(reply, "temporarily_unavailable", 503)
    assert reply.headers["retry-after"] == "3"
    auth.clock.advance(3600)
    keys.down = False
    assert ours.refresh(token).status_code == 200


def test_nothing_stored_of_a_grant_holds_a_code_or_a_token(dance: Dance, tmp_path: Path) -> None:
    """Must 10: a secret in clear at rest."""
    code = dance.code()
    secrets = [code.partition(".")[2], VERIFIER, "backend-secret"]
    tokens = dance.redeem(code).json()
    dance.auth.add(confidential_client())
    secrets += [tokens["access_token"], tokens["refresh_token"], tokens["refresh_token"].rpartition(".")[2]]
    with sqlite3.connect(tmp_path / "auth.db") as connection:
        stored = b"".join(row[0] for row in connection.execute("SELECT record FROM records"))
    connection.close()
    assert dance.grant(code).id.encode() in stored
    assert not [secret for secret in secrets if secret.encode() in stored]


def test_no_event_holds_a_code_or_a_token(dance: Dance) -> None:
    """Must 21: a token in a log."""
    code = dance.code()
    token = dance.redeem(code).json()["refresh_token"]
    dance.refreshed(token)
    dance.auth.clock.advance(61)
    dance.refresh(token)
    told = str(dance.auth.events)
    assert {"code_issued", "token_issued", "refresh_rotated", "refresh_token_reused"} <= set(dance.auth.names())
    assert code not in told
    assert token not in told
    assert code.partition(".")[2] not in told
    assert VERIFIER not in told


def test_grant_types_are_those_served_and_registered(dance: Dance) -> None:
    assert refused(dance.post(), "invalid_request")
    assert refused(dance.post(grant_type="password"), "unsupported_grant_type")
    assert refused(dance.post(grant_type="client_credentials"), "unauthorized_client")
    dance.auth.add(public_client("narrow", grant_types=("refresh_token",)))
    assert refused(dance.redeem("any", client_id="narrow"), "unauthorized_client")
    assert dance.auth.client.get("/oauth/token").status_code == 405


def test_token_requests_are_limited_per_client(tmp_path: Path) -> None:
    limits = PLENTY._replace(token_requests_per_client=Limits().token_requests_per_client)
    with auth_server(tmp_path, config=Config(limits=limits)) as auth:
        ours = new_dance(auth)
        replies = [ours.post(grant_type="nothing") for _ in range(61)]
        assert [reply.status_code for reply in replies] == [400] * 60 + [429]
        assert refused(replies[-1], "temporarily_unavailable", 429)
        assert 0 < int(replies[-1].headers["retry-after"]) <= 60
        auth.clock.advance(60)
        assert ours.post(grant_type="nothing").status_code == 400


def test_the_first_token_keeps_a_client_from_expiring(auth: Running) -> None:
    made, _ = auth.call(
        auth.server.clients.register, {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}, "::1"
    )
    unused, _ = auth.call(
        auth.server.clients.register, {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}, "::1"
    )
    ours = Dance(auth, auth.user(), made)
    ours.tokens()
    auth.clock.advance(365 * 86400)
    assert ours.post(grant_type="nothing").status_code == 400
    assert ours.post(grant_type="nothing", client_id=unused.id).status_code == 401


def test_a_store_that_fails_after_a_code_was_used_up_costs_the_client_nothing(auth: Running) -> None:
    async def down(_client: object) -> None:
        raise StoreUnavailableError("down")

    ours = new_dance(auth)
    auth.server.clients.touch = down  # type: ignore[method-assign]
    assert ours.redeem(ours.code()).status_code == 200
    assert "client_not_touched" in auth.names()


@pytest.fixture
def backend(auth: Running) -> Dance:
    return new_dance(auth, confidential_client())


def test_an_operators_client_gets_a_token_for_itself(backend: Dance) -> None:
    reply = backend.post(auth=BASIC, grant_type="client_credentials")
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    tokens = reply.json()
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert tokens["expires_in"] == 900
    said = claims(tokens["access_token"])
    assert said["sub"] == "client:backend"
    assert said["aud"] == backend.resource
    assert said["exp"] - said["iat"] == 900
    assert "gid" not in said


@pytest.mark.parametrize("path", ["", "/", "/mcp", "/sse"])
def test_a_clients_own_token_is_for_the_resource_that_it_names(backend: Dance, path: str) -> None:
    resource = backend.auth.issuer + path
    reply = backend.post(auth=BASIC, grant_type="client_credentials", resource=resource)
    assert claims(reply.json()["access_token"])["aud"] == resource.rstrip("/")
    foreign = backend.post(auth=BASIC, grant_type="client_credentials", resource="https://other.example/mcp")
    assert refused(foreign, "invalid_target")


def test_a_clients_own_token_carries_its_registered_scopes_or_fewer(auth: Running) -> None:
    narrow = new_dance(auth, confidential_client(scopes=("mcp.read",)))
    ask = {"auth": BASIC, "grant_type": "client_credentials"}
    assert narrow.post(**ask).json()["scope"] == "mcp.read"
    assert narrow.post(**ask, scope="mcp.read").json()["scope"] == "mcp.read"
    assert refused(narrow.post(**ask, scope="mcp.read mcp.tools"), "invalid_scope")


def test_no_setting_makes_a_clients_own_token_live_longer_than_a_quarter_of_an_hour(tmp_path: Path) -> None:
    with auth_server(tmp_path, config=Config(client_token=86400)) as auth:
        backend = new_dance(auth, confidential_client())
        assert backend.post(auth=BASIC, grant_type="client_credentials").json()["expires_in"] == 900


@pytest.mark.parametrize("source", ["dcr", "pinned", "document"])
def test_only_the_operators_own_clients_get_tokens_for_themselves(auth: Running, source: str) -> None:
    theirs = new_dance(auth, confidential_client(source=source))
    assert refused(theirs.post(auth=BASIC, grant_type="client_credentials"), "unauthorized_client")


@pytest.mark.parametrize("secret", ["wrong", "", "backend-secre", "backend-secrett"])
def test_a_client_without_its_secret_gets_no_token_for_itself(backend: Dance, secret: str) -> None:
    reply = backend.post(auth=("backend", secret), grant_type="client_credentials")
    assert refused(reply, "invalid_client", 401)
    assert reply.headers["www-authenticate"].startswith("Basic ")
    assert refused(backend.post(grant_type="client_credentials"), "invalid_client", 401)


def test_a_client_that_was_removed_gets_nothing(backend: Dance) -> None:
    backend.auth.call(backend.auth.server.store.delete, client_key("backend"))
    assert refused(backend.post(auth=BASIC, grant_type="client_credentials"), "invalid_client", 401)


def test_a_clients_id_and_secret_may_need_encoding(auth: Running) -> None:
    auth.add(confidential_client("enc-oded", "a:b+c %é", auth_method="client_secret_basic"))
    joined = "enc-oded:a%3Ab%2Bc+%25%C3%A9"
    header = {"Authorization": "Basic " + base64.b64encode(joined.encode()).decode()}
    reply = auth.client.post("/oauth/token", data={"grant_type": "client_credentials"}, headers=header)
    assert reply.status_code == 200, reply.text


def test_must_15_a_replay_is_known_to_every_instance(tmp_path: Path) -> None:
    with auth_server(tmp_path, issuer="https://mcp.example") as one, auth_server(tmp_path, issuer=one.issuer) as two:
        here = new_dance(one)
        there = Dance(two, here.user, here.client)
        code = here.code()
        token = there.redeem(code).json()["refresh_token"]
        current = here.refreshed(token)
        assert there.refreshed(token) == current
        assert refused(here.redeem(code), "invalid_grant")
        assert refused(there.refresh(current), "invalid_grant")
        again = here.tokens()["refresh_token"]
        there.refreshed(again)
        here.auth.clock.advance(61)
        assert refused(here.refresh(again), "invalid_grant")
        assert there.grant(again).revoked


def test_must_11_no_cache_keeps_what_any_of_these_endpoints_says(auth: Running) -> None:
    public, backend = new_dance(auth), Dance(auth, auth.user("bob"), auth.add(confidential_client()))
    tokens = public.tokens()
    own = backend.post(auth=BASIC, grant_type="client_credentials").json()["access_token"]
    replies = [
        public.redeem(public.code()),
        public.redeem("no such code"),
        public.refresh(tokens["refresh_token"]),
        public.post(grant_type="nothing"),
        backend.post(auth=BASIC, grant_type="client_credentials"),
        backend.post(auth=("backend", "wrong"), grant_type="client_credentials"),
        backend.post("/oauth/introspect", auth=BASIC, token=own),
        backend.post("/oauth/introspect", auth=BASIC, token="no such token"),
        backend.post("/oauth/introspect", auth=("backend", "wrong"), token=own),
        auth.client.get("/oauth/userinfo", headers={"Authorization": f"Bearer {own}"}),
        auth.client.get("/oauth/userinfo", headers={"Authorization": "Bearer nothing"}),
        auth.client.get("/oauth/userinfo"),
        backend.post("/oauth/revoke", auth=BASIC, token=own),
        public.post("/oauth/revoke", token=tokens["access_token"]),
        public.post("/oauth/revoke"),
        auth.client.post("/oauth/token", json={}),
    ]
    assert {reply.status_code for reply in replies} == {200, 400, 401}
    assert {reply.headers.get("cache-control") for reply in replies} == {"no-store"}
    assert {reply.headers.get("pragma") for reply in replies} == {"no-cache"}
