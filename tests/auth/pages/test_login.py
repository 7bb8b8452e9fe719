"""The sign-in page."""

from urllib.parse import parse_qsl

import pytest

from auth.server.config import Config, Limits
from auth.server.return_target import LIFETIME
from tests.support.auth_server import PLENTY, auth_server, public_client
from tests.support.visitor import PASSWORD, Visitor, alice, authorization, fields, words

CHEAP = Config(limits=PLENTY, password_cost=4)
PUBLIC = "https://mcp.example.com"


@pytest.fixture
def visitor(auth):
    return alice(auth, public_client())


@pytest.mark.parametrize(
    ("issuer", "prefix", "secure"), [(None, "", False), (PUBLIC, "__Host-", True)], ids=["loopback", "https"]
)
def test_cookies_are_bound_to_the_host_and_out_of_reach_of_pages(tmp_path, issuer, prefix, secure):
    with auth_server(tmp_path, issuer=issuer) as running:
        visitor = alice(running)
        visitor.sign_in()
    assert set(visitor.set) == {f"{prefix}mcpx-browser", f"{prefix}mcpx-session"}
    for attributes in visitor.set.values():
        assert attributes.get("secure") == ("True" if secure else None)
        assert attributes["httponly"] == "True"
        assert (attributes["samesite"], attributes["path"]) == ("lax", "/")
        assert "domain" not in attributes
    assert visitor.set[f"{prefix}mcpx-session"]["max-age"] == str(Config().session)


def test_who_signs_in_without_a_request_comes_to_the_account(visitor):
    reply = visitor.sign_in()
    assert reply.headers["location"] == "/account"
    assert "alice" in words(visitor.follow(reply))
    assert visitor.get("/login").headers["location"] == "/account"


def test_the_username_may_be_written_in_any_case(visitor):
    assert visitor.sign_in(" ALICE ").headers["location"] == "/account"


def test_a_sign_in_goes_back_to_the_request_that_it_interrupted(visitor):
    request = authorization(state="a&b=c", scope="mcp.read")
    reply = visitor.sign_in(start=request)
    path, _, query = reply.headers["location"].partition("?")
    assert path == "/oauth/authorize"
    assert sorted(parse_qsl(query)) == sorted(parse_qsl(request.partition("?")[2]))
    assert visitor.follow(reply).status_code == 200


def test_who_is_signed_in_already_goes_on_at_once(visitor):
    target = visitor.get(authorization()).headers["location"]
    visitor.sign_in()
    assert visitor.get(target).headers["location"].startswith("/oauth/authorize?")


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/account", "x.y", "é", ".", "%0d%0aLocation:https://evil"]
)
def test_a_sign_in_leads_nowhere_else(visitor, target):
    assert visitor.get(f"/login?continue={target}").status_code == 400
    page = visitor.get("/login")
    form = fields(page) | {"username": "alice", "password": PASSWORD, "continue": target}
    reply = visitor.post("/login", form)
    assert reply.status_code == 400
    assert "mcpx-session" not in visitor.cookies


def test_a_request_that_waited_too_long_starts_again_from_the_app(auth, visitor):
    target = visitor.get(authorization()).headers["location"]
    auth.clock.advance(LIFETIME)
    reply = visitor.get(target)
    assert reply.status_code == 400
    assert "start again" in words(reply)


def test_each_sign_in_makes_a_new_session_and_ends_the_one_before(auth, visitor):
    tab = fields(visitor.get("/login")) | {"username": "alice", "password": PASSWORD}
    visitor.sign_in()
    before = Visitor(auth)
    before.cookies = dict(visitor.cookies)
    assert before.get("/account").status_code == 200
    visitor.post("/login", tab)
    assert visitor.cookies["mcpx-session"] != before.cookies["mcpx-session"]
    assert visitor.get("/account").status_code == 200
    assert before.get("/account").headers["location"] == "/login"


def test_a_session_that_the_browser_brings_along_is_not_taken_over(visitor):
    chosen = "A" * 43
    visitor.cookies["mcpx-session"] = chosen
    visitor.sign_in()
    assert visitor.cookies["mcpx-session"] != chosen
    visitor.cookies["mcpx-session"] = chosen
    assert visitor.get("/account").headers["location"] == "/login"


def test_a_sign_in_form_is_bound_to_the_browser_that_asked_for_it(auth, visitor):
    other = Visitor(auth)
    form = fields(other.get("/login")) | {"username": "alice", "password": PASSWORD}
    visitor.get("/login")
    for body in (form, form | {"token": ""}, form | {"token": "é"}, {**form, "token": form["token"].upper()}):
        reply = visitor.post("/login", body)
        assert reply.status_code == 400
    no_cookie = Visitor(auth)
    assert no_cookie.post("/login", form).status_code == 400
    assert "sign_in" not in auth.names()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
        {"origin": "https://evil.example", "sec_fetch_site": ""},
        {"origin": "null", "sec_fetch_site": ""},
        {"origin": "", "sec_fetch_site": ""},
    ],
)
def test_a_sign_in_that_another_page_posts_is_refused(auth, visitor, headers):
    form = fields(visitor.get("/login")) | {"username": "alice", "password": PASSWORD}
    assert visitor.post("/login", form, **headers).status_code == 403
    assert "sign_in" not in auth.names()


def test_two_tabs_can_sign_in_one_after_the_other(visitor):
    first, second = (fields(visitor.get("/login")) for _ in range(2))
    for form in (first, second):
        reply = visitor.post("/login", form | {"username": "alice", "password": PASSWORD})
        assert reply.headers["location"] == "/account"


def without_secrets(page):
    return words(page), page.status_code, page.headers.get("retry-after")


def test_an_unknown_user_gets_the_answer_of_a_known_one(visitor):
    for _ in range(3):
        known, unknown = visitor.sign_in("alice", "wrong"), visitor.sign_in("nobody", "wrong")
        assert known.status_code == 403
        assert without_secrets(known) == without_secrets(unknown)
    assert "wrong" not in known.text


def test_guessing_locks_a_known_and_an_unknown_user_alike(auth, visitor):
    for name in ("alice", "nobody"):
        replies = [visitor.sign_in(name, "wrong") for _ in range(5)]
        assert [reply.status_code for reply in replies] == [403, 403, 403, 403, 429]
        assert replies[-1].headers["retry-after"] == "60"
        # Not even the right password opens a lock.
        assert visitor.sign_in(name).status_code == 429
    auth.clock.advance(60)
    assert visitor.sign_in("alice").status_code == 303


def test_the_lock_grows(auth, visitor):
    for _ in range(4):
        visitor.sign_in("alice", "wrong")
    waits = []
    for _ in range(8):
        waits.append(int(visitor.sign_in("alice", "wrong").headers["retry-after"]))
        auth.clock.advance(waits[-1])
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]


@pytest.mark.parametrize("limit", [{"sign_ins_per_user": 2}, {"sign_ins_per_address": 2}])
def test_sign_ins_are_limited_per_user_and_per_address(tmp_path, limit):
    config = CHEAP._replace(limits=Limits(**({"sign_ins_per_user": 99, "sign_ins_per_address": 99} | limit)))
    with auth_server(tmp_path, config=config) as running:
        visitor = alice(running)
        assert [visitor.sign_in("alice", "wrong").status_code for _ in range(2)] == [403, 403]
        refused = visitor.sign_in()
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) <= 60
        assert "mcpx-session" not in visitor.cookies
        other = visitor.sign_in("bob", "wrong")
        assert other.status_code == (403 if "sign_ins_per_user" in limit else 429)
        running.clock.advance(60)
        assert visitor.sign_in().status_code == 303


def test_the_published_password_opens_nothing_on_a_public_url(tmp_path):
    with auth_server(tmp_path, issuer=PUBLIC) as running:
        running.call(running.server.users.add_default, public=False)
        assert Visitor(running).sign_in("mcpuser", "OMG!letmein").status_code == 403
        running.issuer = running.url
        assert Visitor(running).sign_in("mcpuser", "OMG!letmein").status_code == 303


def test_a_wrong_password_keeps_the_request_and_the_username_and_nothing_else(visitor):
    visitor.sign_in(start=authorization(), username="al'ice<b>", password="wr0ng&secret")
    reply = visitor.sign_in(start=authorization(), username="alice", password="wr0ng&secret")
    shown = fields(reply)
    assert shown["username"] == "alice"
    assert "password" in shown
    assert shown["password"] == ""
    assert "wr0ng" not in reply.text
    after = visitor.post("/login", shown | {"password": PASSWORD})
    assert after.headers["location"].startswith("/oauth/authorize?")


def test_what_somebody_typed_is_escaped(visitor):
    reply = visitor.sign_in('"><script>alert(1)</script>', "wrong")
    assert "<script" not in reply.text
    assert fields(reply)["username"] == '"><script>alert(1)</script>'


@pytest.mark.parametrize(
    "body",
    [b"\xff", b"username=%ff&password=%00", b"username=" + b"a" * 70_000, b"username=a&username=b", b""],
    ids=range(5),
)
def test_no_form_is_a_fault_of_the_server(visitor, body):
    visitor.get("/login")
    assert visitor.post("/login", body).status_code == 400


@pytest.mark.parametrize("name", ["\x00", "\ud7ff", "a" * 500, "\uff41lice\u202e", "-", "'; --"])
def test_no_username_is_a_fault_of_the_server(visitor, name):
    assert visitor.sign_in(name, "wrong").status_code == 403


def test_a_disabled_user_is_signed_out_and_cannot_sign_in(auth, visitor):
    visitor.sign_in()
    user = auth.call(auth.server.users.find, "alice")
    auth.call(auth.server.users.disable, user)
    assert visitor.get("/account").headers["location"] == "/login"
    assert visitor.sign_in().status_code == 403


def test_a_session_ends_after_its_time(auth, visitor):
    visitor.sign_in()
    auth.clock.advance(Config().session - 1)
    assert visitor.get("/account").status_code == 200
    auth.clock.advance(1)
    assert visitor.get("/account").headers["location"] == "/login"


def test_cookies_that_this_server_cannot_have_set_are_no_cookies(visitor):
    for value in ("short", "a" * 201, "a b" * 10, '"' * 30):
        visitor.cookies = {"mcpx-session": value, "mcpx-browser": value}
        assert visitor.get("/account").headers["location"] == "/login"
        assert visitor.sign_in().status_code == 303
        assert value not in visitor.cookies.values()
