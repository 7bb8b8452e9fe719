"""Refresh tokens at the token endpoint."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auth.records import client_key, encode, user_key
from auth.server.config import Config
from auth.server.token_reply import TokenReply
from store.protocol import Stored, StoreUnavailableError
from store.sqlite import SqliteStore
from tests.support.auth_server import PLENTY, Clock, Running, auth_server, claims, confidential_client, public_client
from tests.support.granting import Dance, new_dance

GONE = (400, "invalid_grant")


def said(reply: Any) -> tuple[int, str]:
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["pragma"] == "no-cache"
    return reply.status_code, reply.json()["error"]


def test_a_refresh_supersedes_the_token_and_gives_a_fresh_access_token(dance: Dance) -> None:
    first = dance.tokens()
    reply = dance.refresh(first["refresh_token"])
    assert reply.headers["cache-control"] == "no-store"
    second = reply.json()
    assert second.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert claims(second["access_token"])["gid"] == claims(first["access_token"])["gid"]
    assert dance.refresh(second["refresh_token"]).status_code == 200


@pytest.mark.parametrize("later", [0, 1, 60])
def test_must_8_a_client_that_lost_the_answer_gets_the_same_refresh_token_again(dance: Dance, later: int) -> None:
    first = dance.tokens()["refresh_token"]
    second = dance.refreshed(first)
    dance.auth.clock.advance(later)
    again = dance.refresh(first)
    assert again.json()["refresh_token"] == second
    assert claims(again.json()["access_token"])["iat"] == dance.auth.clock.now
    assert dance.grant(first).generation == 1
    assert dance.refresh(second).status_code == 200


def test_must_8_a_refresh_token_that_comes_after_the_window_ends_the_grant(dance: Dance) -> None:
    first = dance.tokens()["refresh_token"]
    second = dance.refreshed(first)
    dance.auth.clock.advance(61)
    assert said(dance.refresh(first)) == GONE
    assert dance.grant(first).revoked
    assert said(dance.refresh(second)) == GONE
    assert [event.name for event in dance.auth.events if event.alarming] == ["refresh_token_reused"]
    assert said(dance.refresh(first)) == GONE
    assert dance.auth.names().count("grant_revoked") == 1


def test_must_8_a_stolen_token_that_the_thief_uses_first_is_found_out_by_the_client(dance: Dance) -> None:
    stolen = dance.tokens()["refresh_token"]
    thiefs = dance.refreshed(dance.refreshed(stolen))
    dance.auth.clock.advance(3600)
    assert said(dance.refresh(stolen)) == GONE
    assert said(dance.refresh(thiefs)) == GONE


def test_must_8_a_token_of_any_generation_that_is_too_old_ends_the_grant(dance: Dance) -> None:
    tokens = [dance.tokens()["refresh_token"]]
    for _ in range(12):
        dance.auth.clock.advance(30)
        tokens.append(dance.refreshed(tokens[-1]))
    assert dance.refreshed(tokens[-2]) == tokens[-1]
    assert said(dance.refresh(tokens[0])) == GONE
    assert dance.grant(tokens[0]).revoked


@pytest.mark.parametrize("later", [0, 61, 3600])
def test_a_forged_refresh_token_harms_nothing(dance: Dance, later: int) -> None:
    token = dance.tokens()["refresh_token"]
    current = dance.refreshed(token)
    dance.auth.clock.advance(later)
    grant_id, _, tag = current.split(".")
    for forged in (
        f"{grant_id}.0.{tag}",
        f"{grant_id}.1.{'x' * 43}",
        f"{grant_id}.2.{tag}",
        f"{grant_id}.9999999999.{tag}",
        f"{'0' * 32}.1.{tag}",
        f"{grant_id}.1",
        "",
        "é.1.ü",
        "x" * 5000,
    ):
        assert dance.refresh(forged).status_code == 400
    assert not dance.grant(current).revoked
    assert dance.refresh(current).status_code == 200


def test_must_9_another_clients_refresh_token_is_refused_and_untouched(dance: Dance) -> None:
    dance.auth.add(public_client("another"))
    token = dance.tokens()["refresh_token"]
    current = dance.refreshed(token)
    dance.auth.clock.advance(3600)
    assert said(dance.refresh(current, client_id="another")) == GONE
    assert said(dance.refresh(token, client_id="another")) == GONE
    assert not dance.grant(current).revoked
    assert dance.refresh(current).status_code == 200


def test_a_confidential_clients_refresh_token_needs_its_secret(auth: Running) -> None:
    ours = new_dance(auth, confidential_client())
    basic = ("backend", "backend-secret")
    token = ours.redeem(ours.code(), auth=basic).json()["refresh_token"]
    assert said(ours.refresh(token)) == (401, "invalid_client")
    assert said(ours.refresh(token, auth=("backend", "wrong"))) == (401, "invalid_client")
    assert ours.refresh(token, auth=basic).status_code == 200


def test_scopes_may_be_fewer_at_a_refresh_and_all_again_at_the_next(dance: Dance) -> None:
    narrow = dance.refresh(dance.tokens()["refresh_token"], scope="mcp.read").json()
    assert narrow["scope"] == claims(narrow["access_token"])["scope"] == "mcp.read"
    assert dance.refresh(narrow["refresh_token"]).json()["scope"] == "mcp.read mcp.tools"


def test_scopes_are_never_more_than_was_granted(dance: Dance) -> None:
    reply = dance.redeem(dance.code(scopes=("mcp.read",)))
    token = reply.json()["refresh_token"]
    assert reply.json()["scope"] == "mcp.read"
    assert said(dance.refresh(token, scope="mcp.tools")) == (400, "invalid_scope")
    assert said(dance.refresh(token, scope="mcp.read mcp.tools")) == (400, "invalid_scope")
    assert dance.grant(token).generation == 0
    assert dance.refresh(token, scope="mcp.read").json()["scope"] == "mcp.read"


def test_must_6_the_resource_of_a_refresh_is_the_grants(dance: Dance) -> None:
    token = dance.tokens()["refresh_token"]
    for other in ("https://other.example/mcp", f"{dance.auth.issuer}/sse"):
        assert said(dance.refresh(token, resource=other)) == (400, "invalid_target")
    assert dance.grant(token).generation == 0
    assert claims(dance.refresh(token, resource=dance.resource).json()["access_token"])["aud"] == dance.resource


def test_must_6_a_grant_for_a_server_by_another_name_gives_no_token_and_is_kept(dance: Dance) -> None:
    token = dance.tokens()["refresh_token"]
    issuer, dance.auth.issuer = dance.auth.issuer, "https://renamed.example"
    assert said(dance.refresh(token)) == (400, "invalid_target")
    dance.auth.issuer = issuer
    assert dance.refresh(token).status_code == 200


def test_a_grant_ends_when_it_was_not_used_for_thirty_days_and_not_before(dance: Dance) -> None:
    token = dance.tokens()["refresh_token"]
    for _ in range(3):
        dance.auth.clock.advance(30 * 86400 - 1)
        token = dance.refreshed(token)
    dance.auth.clock.advance(30 * 86400)
    assert said(dance.refresh(token)) == GONE


def test_must_20_a_refresh_in_the_last_second_is_answered_and_one_that_crosses_it_is_refused(tmp_path: Path) -> None:
    config = Config(refresh_token=7200, limits=PLENTY)
    with auth_server(tmp_path, config=config) as auth:
        ours = new_dance(auth)
        token = ours.tokens()["refresh_token"]
        auth.clock.advance(7199.9)
        token = ours.refreshed(token)
        auth.clock.advance(7199.9)
        reply = TokenReply(auth.server, auth.issuer)

        async def slow(*prepared: Any) -> None:
            await reply.prepare(*prepared)
            auth.clock.advance(1)

        with pytest.raises(Exception, match="unknown, expired, revoked") as refusal:
            auth.call(auth.server.grants.refresh, token, client=ours.client, scopes=None, resource=None, prepare=slow)
        assert type(refusal.value).__name__ == "InvalidGrantError"


def test_a_client_in_a_loop_is_told_to_wait_and_loses_nothing(dance: Dance) -> None:
    token = dance.tokens()["refresh_token"]
    for _ in range(8):
        dance.auth.clock.advance(1)
        token = dance.refreshed(token)
    dance.auth.clock.advance(1)
    reply = dance.refresh(token)
    assert said(reply) == (429, "temporarily_unavailable")
    assert reply.headers["retry-after"] == "52"
    dance.auth.clock.advance(51)
    assert dance.refresh(token).status_code == 429
    dance.auth.clock.advance(1)
    assert dance.refresh(token).status_code == 200


@pytest.mark.parametrize("change", [{"epoch": 1}, {"disabled": True}])
def test_a_refresh_token_of_a_user_who_was_disabled_or_changed_the_password_is_dead(
    dance: Dance, change: dict[str, Any]
) -> None:
    token = dance.tokens()["refresh_token"]
    store = dance.auth.server.store
    seen = dance.auth.call(store.get, user_key(dance.user.id))
    assert seen
    dance.auth.call(store.replace, seen, encode(dance.user._replace(**change)))
    assert said(dance.refresh(token)) == GONE
    assert dance.grant(token).generation == 0


def test_a_refresh_token_of_a_user_or_a_client_who_was_removed_is_dead(dance: Dance) -> None:
    token = dance.tokens()["refresh_token"]
    dance.auth.call(dance.auth.server.store.delete, client_key(dance.client.id))
    assert said(dance.refresh(token)) == (401, "invalid_client")
    dance.auth.add(dance.client)
    dance.auth.call(dance.auth.server.store.delete, user_key(dance.user.id))
    assert said(dance.refresh(token)) == GONE


def test_a_refresh_token_outlives_one_rotation_of_the_servers_secret(dance: Dance) -> None:
    token, old = dance.tokens()["refresh_token"], dance.tokens()["refresh_token"]
    dance.auth.secrets.rotate("another secret, which is long enough as well")
    token = dance.refreshed(token)
    dance.auth.secrets.rotate("a third secret, which is also long enough")
    assert dance.refresh(token).status_code == 200
    assert said(dance.refresh(old)) == GONE


def test_a_token_that_another_machine_sealed_with_a_newer_secret_is_not_refused(dance: Dance) -> None:
    newer = "a newer secret that this machine has not read yet"

    async def lagging(*, refresh: bool = False) -> Any:
        return (newer, old) if refresh else (old, None)

    old = dance.auth.secrets.current
    token = dance.tokens()["refresh_token"]
    dance.auth.secrets.rotate(newer)
    token = dance.refreshed(token)
    dance.auth.server.server_key._source = lagging
    assert dance.refresh(token).status_code == 200


class FailingStore(SqliteStore):
    """Fails at what it is told to, before or after doing it."""

    fails: str = ""

    async def get(self, key: str, *, consistent: bool = False) -> Stored | None:
        if self.fails == "get":
            raise StoreUnavailableError("get", 7)
        return await super().get(key, consistent=consistent)

    async def add(self, *args: Any, **kwargs: Any) -> int:
        if self.fails == "add":
            raise StoreUnavailableError("add", 7)
        return await super().add(*args, **kwargs)

    async def replace(self, *args: Any, **kwargs: Any) -> bool:
        if self.fails == "before":
            raise StoreUnavailableError("before", 7)
        if self.fails == "lose":
            return False
        won = await super().replace(*args, **kwargs)
        if self.fails == "after":
            raise StoreUnavailableError("after", 7)
        return won


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[tuple[Dance, FailingStore]]:
    clock = Clock()
    store = FailingStore(tmp_path / "auth.db", clock)
    with auth_server(tmp_path, clock=clock, store=store) as auth:
        yield new_dance(auth), store


@pytest.mark.parametrize("fails", ["get", "add", "before", "after"])
def test_a_store_that_fails_gives_503_and_loses_no_grant(failing: tuple[Dance, FailingStore], fails: str) -> None:
    ours, store = failing
    token = ours.tokens()["refresh_token"]
    for _ in range(3):
        store.fails = fails
        reply = ours.refresh(token)
        assert said(reply) == (503, "temporarily_unavailable")
        assert reply.headers["retry-after"] == "7"
        store.fails = ""
        token = ours.refreshed(token)


@pytest.mark.parametrize("fails", ["get", "add", "before"])
def test_a_store_that_fails_before_a_code_is_used_up_leaves_it_good(
    failing: tuple[Dance, FailingStore], fails: str
) -> None:
    ours, store = failing
    code = ours.code()
    store.fails = fails
    reply = ours.redeem(code)
    assert said(reply) == (503, "temporarily_unavailable")
    store.fails = ""
    assert ours.redeem(code).status_code == 200


def test_a_reuse_that_cannot_be_written_down_is_no_refusal_yet(failing: tuple[Dance, FailingStore]) -> None:
    ours, store = failing
    token = ours.tokens()["refresh_token"]
    ours.refreshed(token)
    ours.auth.clock.advance(61)
    store.fails = "before"
    assert said(ours.refresh(token)) == (503, "temporarily_unavailable")
    store.fails = ""
    assert said(ours.refresh(token)) == GONE
    assert ours.grant(token).revoked


def test_whoever_loses_every_race_is_told_to_come_again_and_loses_nothing(failing: tuple[Dance, FailingStore]) -> None:
    ours, store = failing
    code, token = ours.code(), ours.tokens()["refresh_token"]
    store.fails = "lose"
    for reply in (ours.refresh(token), ours.redeem(code), ours.post("/oauth/revoke", token=token)):
        assert said(reply) == (503, "temporarily_unavailable")
        assert reply.headers["retry-after"] == "1"
    store.fails = ""
    assert ours.refresh(token).status_code == 200
    assert ours.redeem(code).status_code == 200
