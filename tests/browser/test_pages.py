"""The pages in a real browser, as people use them."""

from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from auth.server.consent import LIFETIME
from tests.support.auth_server import public_client
from tests.support.visitor import PASSWORD, REQUEST

pytestmark = pytest.mark.browser

NEW = "a different long password"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
"""Of the challenge in `REQUEST` (RFC 7636, appendix B)."""


def allow(page: Page) -> None:
    page.get_by_role("button", name="Allow").click()


def told(desk, page: Page | None = None) -> dict[str, str]:
    """What came back to the app."""
    page = page or desk.page
    expect(page.get_by_role("heading", name="The app")).to_be_visible()
    assert page.url.startswith(f"{desk.app}/callback?")
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def tokens(desk, code: str):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": f"{desk.app}/callback"}
    return desk.auth.client.post("/oauth/token", data={**form, "client_id": "app", "code_verifier": VERIFIER})


def test_signing_in_and_allowing_it_connects_the_app(desk):
    desk.page.goto(desk.request())
    desk.sign_in()
    expect(desk.page.get_by_role("heading", name="Allow Notebook to use mcpx for you?")).to_be_visible()
    allow(desk.page)
    answer = told(desk)
    assert (answer["state"], answer["iss"]) == (REQUEST["state"], desk.auth.issuer)
    assert tokens(desk, answer["code"]).json()["refresh_token"]


def test_denying_it_tells_the_app(desk):
    desk.page.goto(desk.request())
    desk.sign_in()
    desk.page.get_by_role("button", name="Deny").click()
    answer = told(desk)
    assert (answer["error"], answer["state"]) == ("access_denied", REQUEST["state"])


def test_a_wrong_password_can_be_mended(desk):
    desk.page.goto(desk.request())
    desk.sign_in("wrong")
    expect(desk.page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(desk.page.get_by_label("Username")).to_have_value("alice")
    expect(desk.page.get_by_label("Password")).to_be_focused()
    expect(desk.page.get_by_label("Password")).to_have_value("")
    desk.page.keyboard.type(PASSWORD)
    desk.page.keyboard.press("Enter")
    allow(desk.page)
    assert "code" in told(desk)


def test_who_guesses_is_locked_out_and_told_for_how_long(desk):
    alert = desk.page.get_by_role("alert")
    desk.page.goto(desk.request())
    for _ in range(4):
        desk.sign_in("wrong")
        expect(desk.page.get_by_role("alert")).to_contain_text("do not belong together")
    desk.sign_in("wrong")
    expect(alert).to_contain_text("Wait a minute, then try again. If they were not yours, tell whoever runs")
    expect(desk.page.get_by_label("Password")).not_to_have_attribute("aria-invalid", "true")
    desk.sign_in()
    expect(alert).to_contain_text("Wait a minute, then try again.")
    desk.auth.clock.advance(60)
    desk.sign_in()
    allow(desk.page)
    assert "code" in told(desk)


def test_the_back_button_asks_again(desk):
    desk.page.goto(desk.request())
    desk.sign_in()
    allow(desk.page)
    first = told(desk)["code"]
    desk.page.go_back()
    expect(desk.page.get_by_role("button", name="Allow")).to_be_visible()
    allow(desk.page)
    second = told(desk)["code"]
    assert first != second
    assert tokens(desk, second).status_code == 200


def test_the_back_button_never_shows_the_sign_in_form_to_who_is_signed_in(desk):
    desk.page.goto(desk.request())
    desk.sign_in()
    expect(desk.page.get_by_role("button", name="Allow")).to_be_visible()
    desk.page.go_back()
    expect(desk.page.get_by_role("button", name="Allow")).to_be_visible()


def test_loading_a_failed_sign_in_again_does_no_harm(desk):
    desk.page.goto(desk.request())
    desk.sign_in("wrong")
    expect(desk.page.get_by_role("alert")).to_be_visible()
    desk.page.reload()
    expect(desk.page.get_by_label("Username")).to_be_visible()
    desk.sign_in()
    allow(desk.page)
    assert "code" in told(desk)


def test_two_tabs_do_not_get_in_each_others_way(desk):
    one, two = desk.page, desk.tab().page
    one.goto(desk.request(state="one"))
    two.goto(desk.request(state="two"))
    desk.sign_in(page=one)
    desk.sign_in(page=two)
    # The first tab's question was put to the session that the second tab's sign-in ended: it is put again.
    allow(one)
    expect(one.get_by_role("button", name="Allow")).to_be_visible()
    allow(one)
    allow(two)
    assert told(desk, one)["state"] == "one"
    assert told(desk, two)["state"] == "two"


def test_two_questions_at_once_can_be_answered_in_any_order(desk):
    one, two = desk.page, desk.tab().page
    one.goto(desk.request(state="one"))
    desk.sign_in(page=one)
    expect(one.get_by_role("button", name="Allow")).to_be_visible()
    two.goto(desk.request(state="two"))
    two.get_by_role("button", name="Deny").click()
    allow(one)
    assert told(desk, two)["error"] == "access_denied"
    assert "code" in told(desk, one)


def test_signing_out_in_another_tab_leaves_no_consent_behind(desk):
    one, two = desk.page, desk.tab().page
    one.goto(desk.request())
    desk.sign_in(page=one)
    expect(one.get_by_role("button", name="Allow")).to_be_visible()
    two.goto(f"{desk.auth.url}/account")
    two.get_by_role("button", name="Sign out").click()
    expect(two.get_by_label("Password")).to_be_visible()
    allow(one)
    expect(one.get_by_label("Password")).to_be_visible()
    desk.sign_in(page=one)
    allow(one)
    assert "code" in told(desk, one)


def test_a_page_that_is_too_old_says_so_and_leads_somewhere(desk):
    desk.page.goto(desk.request())
    desk.sign_in()
    expect(desk.page.get_by_role("button", name="Allow")).to_be_visible()
    desk.auth.clock.advance(LIFETIME)
    allow(desk.page)
    expect(desk.page.get_by_role("heading", name="This page is too old")).to_be_visible()
    desk.page.get_by_role("link", name="Your account").click()
    expect(desk.page.get_by_role("heading", name="Your account")).to_be_visible()


def test_somebody_else_can_sign_in_instead(desk):
    desk.auth.call(desk.auth.server.users.add, "bob", PASSWORD)
    desk.page.goto(desk.request())
    desk.sign_in()
    desk.page.get_by_role("button", name="Not you?").click()
    desk.page.get_by_label("Username").fill("bob")
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_text("bob")).to_be_visible()
    allow(desk.page)
    assert "code" in told(desk)


def connect(desk) -> dict[str, str]:
    desk.page.goto(desk.request())
    if desk.page.get_by_label("Password").is_visible():
        desk.sign_in()
    allow(desk.page)
    got: dict[str, str] = tokens(desk, told(desk)["code"]).json()
    return got


def refreshed(desk, got: dict[str, str]) -> int:
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"], "client_id": "app"}
    return int(desk.auth.client.post("/oauth/token", data=form).status_code)


def test_an_app_can_be_disconnected(desk):
    got = connect(desk)
    desk.page.goto(f"{desk.auth.url}/account")
    expect(desk.page.get_by_role("heading", name="Notebook")).to_be_visible()
    desk.page.get_by_role("button", name="Disconnect", exact=True).click()
    expect(desk.page.get_by_role("status")).to_contain_text("disconnected")
    expect(desk.page.get_by_role("heading", name="Notebook")).to_have_count(0)
    assert refreshed(desk, got) == 400


def test_a_new_password_signs_out_and_disconnects_everything_else(desk):
    got = connect(desk)
    desk.page.goto(f"{desk.auth.url}/account")
    page = desk.page

    def change(current: str, new: str, again: str) -> None:
        page.get_by_label("Current password").fill(current)
        page.get_by_label("New password", exact=True).fill(new)
        page.get_by_label("New password again").fill(again)
        page.get_by_role("button", name="Change password").click()

    change("wrong", NEW, NEW)
    expect(page.get_by_role("alert")).to_contain_text("not your current password")
    expect(page.get_by_label("Current password")).to_be_focused()
    change(PASSWORD, NEW, "something else")
    expect(page.get_by_role("alert")).to_contain_text("not the same")
    change(PASSWORD, NEW, NEW)
    expect(page.get_by_role("status")).to_contain_text("Your password is changed")
    assert refreshed(desk, got) == 400
    page.get_by_role("button", name="Sign out").click()
    desk.sign_in(NEW)
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def test_everything_can_be_done_with_the_keyboard(desk):
    page = desk.page
    page.goto(desk.request())
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Sign in")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Allow")).to_be_visible()
    order = ["Not you?", "Deny", "Allow"]
    for name in order:
        page.keyboard.press("Tab")
        focused = page.get_by_role("button", name=name)
        expect(focused).to_be_focused()
        assert focused.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Space")
    assert "code" in told(desk)


@pytest.mark.parametrize("options", [{"java_script_enabled": False}])
def test_everything_works_without_javascript(desk):
    desk.page.goto(desk.request())
    desk.sign_in("wrong")
    desk.sign_in()
    allow(desk.page)
    assert "code" in told(desk)
    desk.page.goto(f"{desk.auth.url}/account")
    desk.page.get_by_role("button", name="Sign out").click()
    expect(desk.page.get_by_label("Password")).to_be_visible()


LONG = "An app whose maker could not decide on a name that is short enough to be read at a glance"


@pytest.mark.parametrize(
    "options",
    [
        {"viewport": {"width": width, "height": 740}, "color_scheme": scheme}
        for width, scheme in ((320, "light"), (360, "dark"), (1280, "light"))
    ],
    ids=["320", "360", "1280"],
)
def test_no_page_needs_scrolling_sideways(desk):
    desk.auth.add(public_client("long", name=LONG + "x" * 60, redirect_uris=(f"https://{'a' * 60}.example/cb",)))
    user = desk.auth.call(desk.auth.server.users.find, "alice")
    allowed = {"client_name": LONG + "x" * 60, "scopes": ("mcp.read", "mcp.tools"), "resource": desk.auth.issuer}
    desk.auth.call(desk.auth.server.grants.issue_direct, user, client_id="long", **allowed, lifetime=9999)

    def fits(page: Page) -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    desk.page.goto(desk.request())
    assert fits(desk.page)
    desk.sign_in()
    expect(desk.page.get_by_role("button", name="Allow")).to_be_visible()
    assert fits(desk.page)
    for path in (
        desk.request(client_id="long", redirect_uri=f"https://{'a' * 60}.example/cb"),
        desk.request(client_id="x"),
    ):
        desk.page.goto(path)
        assert fits(desk.page)
    desk.page.goto(f"{desk.auth.url}/account")
    assert fits(desk.page)


def test_fingers_find_every_button(desk):
    """WCAG 2.2, 2.5.8: 24 by 24 CSS pixels at least."""
    connect(desk)
    for url in (desk.request(), f"{desk.auth.url}/account"):
        desk.page.goto(url)
        for button in desk.page.get_by_role("button").all():
            box = button.bounding_box()
            assert box
            assert min(box["width"], box["height"]) >= 24


def test_no_other_site_can_frame_a_page(desk):
    desk.page.goto(desk.request())
    desk.sign_in()
    expect(desk.page.get_by_role("button", name="Allow")).to_be_visible()
    frame = f'<iframe src="{desk.request().replace("&", "&amp;")}"></iframe>'
    with desk.page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        desk.page.goto(f"{desk.app}/?body={quote(frame)}")
    assert "frame-ancestors" in desk.watched.complaints.pop()


def elsewhere(desk, path: str, fields: dict[str, str]) -> None:
    """Open a page of another site that posts a form to the server, and have it sent."""
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    body = f'<form method="post" action="{desk.auth.url}{path}">{inputs}<button>Win</button></form>'
    # Ports are no sites: 127.0.0.1 and localhost are two.
    site = desk.app.replace("127.0.0.1", "localhost")
    desk.page.goto(f"{site}/?{urlencode({'body': body})}")
    desk.page.get_by_role("button", name="Win").click()


def test_no_other_site_can_send_a_form_in_somebodys_name(desk):
    connect(desk)
    for path, form in (
        ("/account", {"action": "disconnect-all"}),
        ("/login", {"username": "alice", "password": PASSWORD}),
        ("/logout", {"token": ""}),
        ("/oauth/authorize", {"consent": "x.y", "decision": "allow"}),
    ):
        elsewhere(desk, path, form)
        # Without the cookie nobody is signed in there; with it the form is refused.
        expect(desk.page.get_by_role("heading", level=1)).to_have_text(
            "Your account" if path == "/account" else "This did not come from our page"
        )
    desk.page.goto(f"{desk.auth.url}/account")
    expect(desk.page.get_by_role("heading", name="Notebook")).to_be_visible()


def test_the_policy_holds_against_what_somebody_might_smuggle_in(desk):
    """Also shows that a breach of the policy would be heard of."""
    page = desk.page
    page.goto(f"{desk.auth.url}/login")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = true'}))")
    assert page.evaluate("window.ran") is None
    with page.expect_console_message(lambda message: "form-action" in message.text):
        page.evaluate("url => { document.forms[0].action = url; document.forms[0].submit() }", f"{desk.app}/stolen")
    assert page.url == f"{desk.auth.url}/login"
    assert any("script" in complaint for complaint in desk.watched.complaints)
    desk.watched.complaints.clear()


def test_an_app_with_a_scheme_of_its_own_is_sent_for(desk):
    desk.auth.add(public_client("native", redirect_uris=("com.example.app:/callback",)))
    desk.page.goto(desk.request(client_id="native", redirect_uri="com.example.app:/callback"))
    desk.sign_in()
    with desk.page.expect_request(lambda request: request.url.startswith("com.example.app:/callback?")) as sent:
        allow(desk.page)
    assert "code=" in sent.value.url
    assert not any("Content Security Policy" in complaint for complaint in desk.watched.complaints)
    desk.watched.complaints.clear()


@pytest.mark.parametrize("onward", ["https://127.0.0.1:9/settings", "claude://claude.ai/settings/connectors"])
def test_an_apps_site_may_send_the_browser_on(desk, onward):
    callback = f"{desk.app}/callback?{urlencode({'to': onward})}"
    desk.auth.add(public_client("onward", redirect_uris=(callback,)))
    desk.page.goto(desk.request(client_id="onward", redirect_uri=callback))
    desk.sign_in()
    # Nothing is there that could answer: that the browser tries is enough.
    with desk.page.expect_event("requestfailed", lambda request: request.url == onward):
        allow(desk.page)
    assert not any("Content Security Policy" in complaint for complaint in desk.watched.complaints)
    desk.watched.complaints.clear()
