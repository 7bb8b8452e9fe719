"""`mcpx users`, as a process, over SQLite."""

import json
import stat
from pathlib import Path

import anyio
import pytest

from auth.server.config import Config
from auth.users import SignInRefusedError, Users
from store.sqlite import SqliteStore
from tests.mcpx.conftest import add_users

GOOD = "correct horse battery"
OTHER = "battery horse correct"


def signs_in(mcpx, name, password) -> bool:
    """Whether a server over the same file lets somebody in."""

    async def attempt():
        store = SqliteStore(mcpx.folder / "data/auth.db")
        try:
            await Users(store, Config()).sign_in(name, password, public=True)
        except SignInRefusedError:
            return False
        finally:
            await store.aclose()
        return True

    return anyio.run(attempt)


def states(mcpx) -> dict[str, str]:
    return {user["name"]: user["state"] for user in json.loads(mcpx.ok("users", "list", "--json"))}


def test_a_user_comes_changes_and_goes(mcpx):
    assert mcpx.ok("users", "add", "Ann", stdin=f"{GOOD}\n") == "ann can sign in.\n"
    assert signs_in(mcpx, "ann", GOOD)
    assert "new password" in mcpx.ok("users", "passwd", "ann", "--password-stdin", stdin=OTHER)
    assert not signs_in(mcpx, "ann", GOOD)
    assert signs_in(mcpx, "ann", OTHER)
    assert "disabled" in mcpx.ok("users", "disable", "ANN")
    assert states(mcpx) == {"ann": "disabled"}
    assert not signs_in(mcpx, "ann", OTHER)
    mcpx.ok("users", "enable", "ann")
    assert signs_in(mcpx, "ann", OTHER)
    assert "removed" in mcpx.ok("users", "remove", "ann")
    assert states(mcpx) == {}
    assert not signs_in(mcpx, "ann", OTHER)


def test_users_are_listed_for_people_and_for_scripts(mcpx):
    add_users(mcpx, "bob", "ann")
    signs_in(mcpx, "bob", GOOD)
    title, ann, bob = mcpx.ok("users", "list").splitlines()
    assert title.split() == ["NAME", "STATE", "CREATED", "LAST", "SIGN", "IN", "ID"]
    assert ann.split()[:2] == ["ann", "active"]
    assert ann.split()[3] == "-"
    assert bob.split()[3].endswith("Z")
    assert title.index("STATE") == ann.index("active") == bob.index("active")
    listed = json.loads(mcpx.ok("users", "list", "--json"))
    assert [user["name"] for user in listed] == ["ann", "bob"]
    assert set(listed[0]) == {"name", "state", "created", "last_sign_in", "id"}


def test_a_change_can_be_read_by_a_script(mcpx):
    added = json.loads(mcpx.ok("users", "add", "ann", "--json", stdin=GOOD))
    removed = json.loads(mcpx.ok("users", "remove", "ann", "--json"))
    assert (added["state"], removed["state"]) == ("active", "removed")
    assert added["id"] == removed["id"]


def test_a_lock_is_shown_and_lifted(mcpx):
    add_users(mcpx, "ann")
    for _ in range(5):
        assert not signs_in(mcpx, "ann", "a wrong password")
    assert states(mcpx)["ann"].startswith("locked until 2")
    mcpx.ok("users", "enable", "ann")
    assert states(mcpx) == {"ann": "active"}
    assert signs_in(mcpx, "ann", GOOD)


def test_what_cannot_be_is_one_sentence(mcpx):
    assert "users add NAME" in mcpx.refused("users", "list")
    mcpx.ok("users", "add", "ann", stdin=GOOD)
    assert "users passwd ann" in mcpx.refused("users", "add", "ANN", stdin=GOOD)
    assert "letters, digits" in mcpx.refused("users", "add", "a b", stdin=GOOD)
    assert "at least 12" in mcpx.refused("users", "add", "bob", stdin="short")
    assert "no password on standard input" in mcpx.refused("users", "add", "bob")
    assert "not UTF-8" in mcpx.refused("users", "add", "bob", stdin=b"\xff" * 12)
    for verb in ("passwd", "disable", "enable", "remove"):
        assert "there is no user 'bob'" in mcpx.refused("users", verb, "bob", stdin=GOOD)
    assert states(mcpx) == {"ann": "active"}


def test_must_24_the_published_password_cannot_be_given_to_anybody(mcpx):
    assert "documentation" in mcpx.refused("users", "add", "mcpuser", stdin="OMG!letmein")
    mcpx.ok("users", "add", "ann", stdin=GOOD)
    assert "documentation" in mcpx.refused("users", "passwd", "ann", stdin="OMG!letmein")


def test_the_flag_names_the_file(mcpx):
    mcpx.ok("users", "add", "ann", "--db", "elsewhere/users.db", stdin=GOOD)
    assert not (mcpx.folder / "data").exists()
    assert "ann" in mcpx.ok("users", "list", "--db", "elsewhere/users.db")
    mcpx.env["AUTH_TABLE"] = "a table that the flag puts aside"
    assert "ann" in mcpx.ok("users", "list", "--db", "elsewhere/users.db")


def test_a_mistyped_file_is_not_begun(mcpx):
    assert "there is no file typo.db" in mcpx.refused("users", "list", "--db", "typo.db")
    assert "there is no file typo.db" in mcpx.refused("users", "remove", "ann", "--db", "typo.db")
    assert "there is no file" in mcpx.refused("users", "list", "--db", "x" * 300)
    assert list(mcpx.folder.iterdir()) == []


def test_a_file_that_is_no_database_is_one_sentence(mcpx):
    (mcpx.folder / "notes.txt").write_text("not a database at all, " * 100)
    assert "gives no answer" in mcpx.refused("users", "list", "--db", "notes.txt")


def test_two_stores_at_once_are_wrong_words(mcpx):
    assert mcpx("users", "list", "--db", "a", "--table", "b").returncode == 2
    assert mcpx("users").returncode == 2


def test_what_users_add_makes_is_for_its_owner_only(mcpx):
    mcpx.ok("users", "add", "ann", stdin=GOOD)
    folder = mcpx.folder / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_must_10_a_password_is_in_no_output_and_no_file(mcpx):
    shown = mcpx.ok("users", "add", "ann", "--json", stdin=GOOD) + mcpx.ok("users", "list")
    assert GOOD not in shown
    assert "$2b$" not in shown
    for path in Path(mcpx.folder).rglob("*"):
        assert path.is_dir() or GOOD.encode() not in path.read_bytes()


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_password_from_standard_input_ends_with_its_line(mcpx, ending):
    mcpx.ok("users", "add", "ann", stdin=f"{GOOD}{ending}")
    assert signs_in(mcpx, "ann", GOOD)


def test_at_a_terminal_the_password_is_typed_twice_and_not_shown(mcpx):
    status, shown = mcpx.typed("users", "add", "ann", answers=[GOOD.encode() + b"\n"] * 2)
    assert status == 0
    assert "New password: " in shown
    assert "The same again: " in shown
    assert "ann can sign in." in shown
    assert GOOD not in shown
    assert signs_in(mcpx, "ann", GOOD)


def test_a_password_that_is_typed_differently_changes_nothing(mcpx):
    status, shown = mcpx.typed("users", "add", "ann", answers=[b"correct horse battery\n", b"correct house battery\n"])
    assert status == 1
    assert "the two passwords differ" in shown
    assert "Traceback" not in shown
    assert states(mcpx) == {}


@pytest.mark.parametrize(("key", "told"), [(b"\x03", "stopped"), (b"\x04", "no password was typed")])
def test_leaving_the_prompt_is_no_traceback(mcpx, key, told):
    status, shown = mcpx.typed("users", "add", "ann", answers=[key])
    assert status == 1
    assert told in shown
    assert "Traceback" not in shown


def test_a_name_that_is_taken_is_told_before_the_password_is_asked_for(mcpx):
    mcpx.ok("users", "add", "ann", stdin=GOOD)
    status, shown = mcpx.typed("users", "add", "ann", answers=[])
    assert status == 1
    assert "New password" not in shown
