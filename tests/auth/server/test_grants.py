"""Grants as the pages and the command line see them."""

from pathlib import Path

import pytest

from auth.records import Client, client_key, grant_key, user_key
from auth.server.config import DAY
from store.protocol import Stored, StoreUnavailableError
from tests.support.auth_server import auth_server, public_client
from tests.support.granting import Dance, current_token, new_dance


def ids(dance: Dance, **asked: object) -> list[str]:
    return [grant.id for grant in dance.auth.call(dance.auth.server.grants.of_user, dance.user.id, **asked)]


def test_a_users_grants_are_those_in_use(dance: Dance) -> None:
    grants = dance.auth.server.grants
    dance.code()
    used = dance.tokens()["refresh_token"].partition(".")[0]
    ended = dance.tokens()["refresh_token"].partition(".")[0]
    dance.auth.call(grants.revoke, ended, "by the test")
    assert ids(dance) == [used]
    disabled = dance.auth.call(dance.auth.server.users.disable, dance.user)
    dance.auth.call(dance.auth.server.users.enable, disabled)
    assert ids(dance) == []


def test_a_grant_of_nobody_is_in_no_list(dance: Dance) -> None:
    dance.tokens()
    dance.auth.call(dance.auth.server.store.delete, user_key(dance.user.id))
    assert ids(dance) == []


def test_a_users_grants_come_in_pages_that_pass_over_what_ended(dance: Dance) -> None:
    made = sorted(dance.tokens()["refresh_token"].partition(".")[0] for _ in range(7))
    for ended in (made[0], made[1], made[3]):
        dance.auth.call(dance.auth.server.grants.revoke, ended, "by the test")
    left = [made[2], made[4], made[5], made[6]]
    assert ids(dance, limit=2) == left[:2]
    assert ids(dance, limit=2, after=left[1]) == left[2:]
    assert ids(dance, after=left[3]) == []


def test_another_users_grants_are_not_listed(dance: Dance) -> None:
    dance.tokens()
    bob = dance.auth.user("bob")
    assert dance.auth.call(dance.auth.server.grants.of_user, bob.id) == []


def test_a_client_that_is_removed_takes_its_grants_along(auth) -> None:
    gone, stays = (new_dance(auth, public_client(client_id)) for client_id in ("0a" * 16, "0b" * 16))
    held = gone.tokens()
    left = stays.tokens()["refresh_token"].partition(".")[0]
    assert len(ids(gone)) == 2
    assert auth.call(auth.server.clients.remove, gone.client.id)
    assert ids(gone) == [left]
    assert ids(gone, limit=1) == [left]
    assert gone.refresh(held["refresh_token"]).json()["error"] == "invalid_client"
    bearer = {"authorization": f"Bearer {held['access_token']}"}
    assert auth.client.get("/oauth/userinfo", headers=bearer).status_code == 401


def test_what_a_newer_version_stored_outlives_every_write(auth) -> None:
    dance = new_dance(auth)
    held = dance.tokens()
    keys = [grant_key(dance.grant(held["refresh_token"]).id), client_key(dance.client.id), user_key(dance.user.id)]

    async def stored(key: str) -> Stored:
        found = await auth.server.store.get(key, consistent=True)
        assert found
        return found

    for key in keys:
        seen = auth.call(stored, key)
        auth.call(auth.server.store.replace, seen, seen.record[:-1] + b',"invented_later":1}')
    before = [auth.call(stored, key).version for key in keys]
    auth.clock.advance(DAY)
    dance.refreshed(held["refresh_token"])
    auth.call(auth.server.users.disable, dance.user)
    assert all(auth.call(stored, key).version not in before for key in keys)
    auth.call(auth.server.grants.revoke, keys[0].removeprefix("grant#"), "by the test")
    assert all(b'"invented_later":1' in auth.call(stored, key).record for key in keys)


def test_a_grant_is_revoked_once_and_remembers_why(dance: Dance) -> None:
    grants = dance.auth.server.grants
    token = dance.tokens()["refresh_token"]
    grant = dance.grant(token)
    assert dance.auth.call(grants.revoke, grant.id, "by the test") is True
    assert dance.auth.call(grants.revoke, grant.id, "again") is False
    assert dance.auth.call(grants.revoke, "0" * 32, "nothing there") is False
    revoked = dance.grant(token).revoked
    assert revoked
    assert (revoked.at, revoked.reason) == (dance.auth.clock.now, "by the test")
    assert [event.details["reason"] for event in dance.auth.events if event.name == "grant_revoked"] == ["by the test"]


def test_a_pending_grant_that_is_revoked_gives_no_tokens(dance: Dance) -> None:
    code = dance.code()
    assert dance.auth.call(dance.auth.server.grants.revoke, code.partition(".")[0], "by the test")
    assert dance.redeem(code).json()["error"] == "invalid_grant"


def test_a_grant_that_nobody_redeems_leaves_nothing_behind(dance: Dance) -> None:
    grant_id = dance.code().partition(".")[0]
    dance.auth.clock.advance(60)
    assert dance.auth.call(dance.auth.server.grants.find, grant_id) is None


def test_a_grant_for_one_token_is_in_use_until_the_token_ends_and_has_no_refresh_token(dance: Dance) -> None:
    grants = dance.auth.server.grants
    grant = dance.auth.call(
        grants.issue_direct,
        dance.user,
        client_id="mcpx-token",
        client_name="mcpx token",
        scopes={"mcp.read"},
        resource=dance.resource,
        lifetime=900,
    )
    assert ids(dance) == [grant.id]
    client: Client = dance.auth.add(public_client("mcpx-token"))
    minted = dance.auth.call(current_token, dance.auth.server.server_key, grant)
    assert dance.refresh(minted, client_id=client.id).json()["error"] == "invalid_grant"
    dance.auth.clock.advance(900)
    assert dance.auth.call(grants.in_use, grant)
    assert dance.auth.call(grants.find, grant.id)
    dance.auth.clock.advance(61)
    assert dance.auth.call(grants.find, grant.id) is None


@pytest.mark.parametrize("count", [40])
def test_must_10_every_secret_is_fresh_and_long(dance: Dance, count: int) -> None:
    codes = [dance.code() for _ in range(count)]
    assert len({code.partition(".")[0] for code in codes}) == len({code.partition(".")[2] for code in codes}) == count
    assert all(len(code.partition(".")[0]) == 32 and len(code.partition(".")[2]) == 43 for code in codes)
    seeds = {dance.grant(dance.redeem(code).json()["refresh_token"]).seed for code in codes}
    assert len(seeds) == count
    assert all(len(seed) == 64 for seed in seeds)


def test_a_grant_is_stored_under_its_id_for_its_user(dance: Dance) -> None:
    grant_id = dance.code().partition(".")[0]
    stored = dance.auth.call(dance.auth.server.store.get, grant_key(grant_id))
    assert stored
    assert stored.owner == f"grants#{dance.user.id}"
    assert stored.expires == dance.auth.clock.now + 60


def test_a_grant_never_takes_anothers_place(tmp_path: Path) -> None:
    with auth_server(tmp_path, randomness=bytes) as repeating:
        user, first = repeating.user("carol"), repeating.add(public_client("first"))
        theirs = Dance(repeating, user, first)
        code = theirs.code()
        with pytest.raises(StoreUnavailableError):
            theirs.code(client=public_client("second"))
        assert theirs.grant(code).client_id == "first"
