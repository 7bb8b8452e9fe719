"""The account page."""

import pytest

from auth.pages.account import PAGE
from auth.pages.notices import LIFETIME
from auth.server.config import Config
from tests.support.auth_server import PLENTY, auth_server, public_client
from tests.support.visitor import PASSWORD, Visitor, alice, authorization, fields, words

NEW = "a different long password"


@pytest.fixture
def inside(auth):
    visitor = alice(auth, public_client(name="Notes & <b>"))
    visitor.sign_in()
    return visitor


def connect(auth, name="An app", username="alice", **members):
    user = auth.call(auth.server.users.find, username)
    made = {"client_id": "app", "scopes": ("mcp.read",), "resource": f"{auth.issuer}/mcp", "lifetime": 10_000}
    return auth.call(auth.server.grants.issue_direct, user, client_name=name, **(made | members))


def token(inside):
    return fields(inside.get("/account"), "/account")["token"]


def revoked(auth, grant):
    return auth.call(auth.server.grants.find, grant.id).revoked


def change(inside, current=PASSWORD, new=NEW, repeated=None):
    form = {"action": "password", "token": token(inside), "current": current, "new": new}
    return inside.post("/account", form | {"repeated": new if repeated is None else repeated})


def test_without_a_session_there_is_no_account(auth):
    visitor = Visitor(auth)
    assert visitor.get("/account").headers["location"] == "/login"
    assert visitor.post("/account", {"action": "disconnect-all"}).headers["location"] == "/login"


def test_an_account_without_apps_says_so(inside):
    assert "No app is connected" in words(inside.get("/account"))


def test_it_shows_each_app_with_its_place_rights_and_times(auth, inside):
    connect(auth, "Notes & <b>")
    connect(auth, "Claude", client_id="https://claude.ai/oauth/mcp-oauth-client-metadata", scopes=("mcp.tools",))
    connect(auth, "Gone", client_id="gone")
    page = inside.get("/account")
    assert "Notes &amp; &lt;b&gt;" in page.text
    shown = words(page)
    assert "app.example" in shown
    assert "claude.ai" in shown
    assert "use those that only read" in shown
    assert "also those that change data" in shown
    assert "Connected 15 January 2027" in shown
    assert "last used 15 January 2027" in shown


def test_a_request_that_was_not_gone_on_with_is_no_connected_app(inside):
    inside.decide(authorization())
    assert "No app is connected" in words(inside.get("/account"))


def test_others_apps_are_not_shown_and_cannot_be_disconnected(auth, inside):
    auth.call(auth.server.users.add, "bob", PASSWORD)
    theirs = connect(auth, "Bob's app", "bob")
    assert "Bob" not in inside.get("/account").text
    form = {"action": "disconnect", "token": token(inside), "grant": theirs.id}
    assert inside.post("/account", form).status_code == 303
    inside.post("/account", {"action": "disconnect-all", "token": token(inside)})
    assert revoked(auth, theirs) is None


def test_an_app_can_be_disconnected(auth, inside):
    kept, ended = connect(auth, "Kept"), connect(auth, "Ended")
    reply = inside.post("/account", {"action": "disconnect", "token": token(inside), "grant": ended.id})
    page = inside.follow(reply)
    assert "The app is disconnected" in words(page)
    assert "Ended" not in words(page)
    assert revoked(auth, ended).reason == "disconnected by the user"
    assert revoked(auth, kept) is None


@pytest.mark.parametrize("grant", ["", "nothing", "é", "a" * 5000, "grant#x"])
def test_disconnecting_what_is_not_there_does_no_harm(inside, grant):
    reply = inside.post("/account", {"action": "disconnect", "token": token(inside), "grant": grant})
    assert reply.status_code == 303


def test_all_apps_can_be_disconnected_however_many(auth, inside):
    grants = [connect(auth, f"App {number}") for number in range(105)]
    inside.follow(inside.post("/account", {"action": "disconnect-all", "token": token(inside)}))
    assert all(revoked(auth, grant) for grant in grants)


def test_many_apps_are_shown_page_by_page(auth, inside):
    names = {f"App-{number:02}." for number in range(PAGE + 3)}
    for name in names:
        connect(auth, name)
    first = inside.get("/account")
    after = first.text.partition("/account?after=")[2].partition('"')[0]
    second = inside.get(f"/account?after={after}")
    seen = [{name for name in names if name in page.text} for page in (first, second)]
    assert [len(page) for page in seen] == [PAGE, 3]
    assert seen[0] | seen[1] == names
    assert "after=" not in second.text


@pytest.mark.parametrize("after", ["%ff", "%00", "a" * 4000, "é"])
def test_no_place_in_the_list_is_a_fault_of_the_server(inside, after):
    assert inside.get(f"/account?after={after}").status_code == 200


@pytest.mark.parametrize("action", ["disconnect-all", "password"])
@pytest.mark.parametrize("wrong", ["", "0" * 64, "another session's"])
def test_the_forms_are_bound_to_the_session(auth, inside, action, wrong):
    grant = connect(auth)
    if wrong == "another session's":
        other = Visitor(auth)
        other.sign_in()
        wrong = token(other)
    form = {"action": action, "token": wrong, "current": PASSWORD, "new": NEW, "repeated": NEW}
    assert inside.post("/account", form).status_code == 400
    assert inside.post("/logout", {"token": wrong}).status_code == 400
    assert revoked(auth, grant) is None
    assert "password_changed" not in auth.names()


def test_a_form_that_another_page_posts_is_refused(auth, inside):
    grant = connect(auth)
    form = {"action": "disconnect-all", "token": token(inside)}
    for headers in ({"origin": "https://evil.example", "sec_fetch_site": "cross-site"}, {"sec_fetch_site": "none"}):
        assert inside.post("/account", form, **headers).status_code == 403
        assert inside.post("/logout", form, **headers).status_code == 403
    assert revoked(auth, grant) is None
    assert inside.get("/account").status_code == 200


@pytest.mark.parametrize("action", ["", "delete", None])
def test_a_form_that_asks_for_nothing_there_is_refused(inside, action):
    form = {"token": token(inside)} | ({} if action is None else {"action": action})
    assert inside.post("/account", form).status_code == 400


def test_a_new_password_ends_every_other_session_and_every_grant(auth, inside):
    grant = connect(auth)
    other = Visitor(auth)
    other.sign_in()
    before = dict(inside.cookies)
    page = inside.follow(change(inside))
    assert "Your password is changed" in words(page)
    assert "No app is connected" in words(page)
    assert other.get("/account").headers["location"] == "/login"
    stolen = Visitor(auth)
    stolen.cookies = before
    assert stolen.get("/account").headers["location"] == "/login"
    user = auth.call(auth.server.users.find, "alice")
    assert grant.epoch < user.epoch
    assert Visitor(auth).sign_in().status_code == 403
    assert Visitor(auth).sign_in(password=NEW).status_code == 303


UNFIT = {
    "another old password": ({"current": "wrong"}, "That is not your current password."),
    "no old password": ({"current": ""}, "That is not your current password."),
    "two new passwords": ({"repeated": "something else"}, "The new password is not the same in both places."),
    "a short one": ({"new": "short"}, "A password has at least 12 characters."),
    "none": ({"new": ""}, "A password has at least 12 characters."),
    "the published one": (
        {"new": "OMG!letmein"},
        "That password is in the documentation, for everybody to read. Choose another.",
    ),
    "a very long one": ({"new": "a" * 1025}, "A password has at most 1024 bytes."),
}


@pytest.mark.parametrize(("changes", "said"), UNFIT.values(), ids=UNFIT)
def test_a_password_is_not_changed_to_what_is_unfit_or_by_who_does_not_know_it(auth, inside, changes, said):
    grant = connect(auth)
    reply = change(inside, **changes)
    assert reply.status_code == 400
    assert said in words(reply)
    assert NEW not in reply.text
    assert "password_changed" not in auth.names()
    assert revoked(auth, grant) is None
    assert inside.get("/account").status_code == 200
    assert Visitor(auth).sign_in().status_code == 303


def test_guessing_the_old_password_is_locked_like_signing_in(inside):
    replies = [change(inside, current="wrong") for _ in range(5)]
    assert [reply.status_code for reply in replies] == [400, 400, 400, 400, 429]
    assert replies[-1].headers["retry-after"] == "60"
    assert change(inside).status_code == 429


def test_changing_the_password_counts_against_the_limit_of_sign_ins(tmp_path):
    config = Config(limits=PLENTY._replace(sign_ins_per_user=3), password_cost=4)
    with auth_server(tmp_path, config=config) as running:
        visitor = alice(running)
        visitor.sign_in()
        assert [change(visitor, current="wrong").status_code for _ in range(2)] == [400, 400]
        refused = change(visitor)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) <= 60
        assert "password_changed" not in running.names()
        running.clock.advance(60)
        assert change(visitor).status_code == 303


def test_who_signs_out_is_out_and_the_session_with_it(auth, inside):
    before = dict(inside.cookies)
    form = fields(inside.get("/account"), "/logout")
    reply = inside.post("/logout", form)
    assert reply.headers["location"] == "/login"
    assert "mcpx-session" not in inside.cookies
    inside.cookies = before
    assert inside.get("/account").headers["location"] == "/login"


def test_somebody_else_can_sign_in_and_go_on_with_the_request(auth, inside):
    auth.call(auth.server.users.add, "bob", PASSWORD)
    form = fields(inside.get(authorization()), "/logout")
    reply = inside.post("/logout", form)
    assert reply.headers["location"].startswith("/login?continue=")
    after = inside.sign_in("bob", start=reply.headers["location"])
    assert "bob" in words(inside.follow(after))


def test_signing_out_twice_is_no_error(inside):
    form = fields(inside.get("/account"), "/logout")
    inside.post("/logout", form)
    assert inside.post("/logout", form).headers["location"] == "/login"


def test_signing_out_leads_nowhere_else(inside):
    form = {"token": token(inside), "continue": "https://evil.example/\r\nX: y"}
    reply = inside.post("/logout", form)
    assert reply.headers["location"] == "/login?continue=https%3A%2F%2Fevil.example%2F%0D%0AX%3A+y"
    assert inside.follow(reply).status_code == 400


def test_no_link_makes_the_page_say_what_was_not_done(auth, inside):
    for done in ("password", "x.y", "é"):
        assert 'role="status"' not in inside.get(f"/account?done={done}").text
    path = inside.post("/account", {"action": "disconnect-all", "token": token(inside)}).headers["location"]
    assert 'role="status"' in inside.get(path).text
    auth.clock.advance(LIFETIME)
    assert 'role="status"' not in inside.get(path).text
