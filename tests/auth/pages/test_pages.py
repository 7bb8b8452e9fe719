"""What all pages have in common: their headers, their policy, their markup."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from auth.pages.consent import ONWARD
from auth.server.consent import LIFETIME
from auth.server.pinned import PINNED
from mcp_app.web import page as front
from tests.support.auth_server import public_client
from tests.support.visitor import Visitor, alice, authorization, fields, words

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(1)> & {{ 7*7 }}'


@pytest.fixture
def inside(auth):
    visitor = alice(auth, public_client())
    visitor.sign_in()
    return visitor


def every_page(inside):
    """A reply of each kind, by what it is."""
    outside = Visitor(inside.auth)
    form = fields(inside.get(authorization()), "/oauth/authorize") | {"decision": "allow"}
    yield "sign-in", outside.get("/login")
    yield "sign-in for an app", outside.follow(outside.get(authorization()))
    yield "wrong password", outside.sign_in("alice", "wrong")
    yield "consent", inside.get(authorization())
    yield "account", inside.get("/account")
    yield "refused password", inside.post("/account", fields(inside.get("/account"), "/account"))
    yield "bad request", inside.get(authorization(client_id="nobody"))
    yield "foreign form", inside.post("/oauth/authorize", form, sec_fetch_site="cross-site")
    yield "foreign sign-in", inside.post("/login", form, sec_fetch_site="cross-site")
    inside.auth.clock.advance(LIFETIME)
    yield "stale form", inside.post("/oauth/authorize", form)


class Markup(HTMLParser):
    """The tags of a page; whether each is closed; what labels what."""

    def __init__(self, html):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def test_no_page_is_kept_framed_or_sent_along_as_a_referrer(inside):
    for name, reply in every_page(inside):
        assert reply.headers["content-type"] == "text/html; charset=utf-8", name
        assert reply.headers["cache-control"] == "no-store", name
        assert reply.headers["x-frame-options"] == "DENY", name
        assert reply.headers["x-content-type-options"] == "nosniff", name
        assert reply.headers["referrer-policy"] == "same-origin", name


def test_the_policy_allows_the_one_style_and_nothing_that_runs(inside):
    for name, reply in every_page(inside):
        style = re.findall(r"<style>(.*?)</style>", reply.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
        policy = dict(part.strip().partition(" ")[::2] for part in reply.headers["content-security-policy"].split(";"))
        assert len(style) == 1, name
        assert policy.pop("form-action").split()[0] == "'self'", name
        assert policy == {
            "default-src": "'none'",
            "style-src": f"'sha256-{digest}'",
            "img-src": "data:",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }, name
        assert not re.search(r"<script|\son[a-z]+=|style=|javascript:", reply.text.replace(style[0], "")), name


def test_redirects_and_sign_outs_are_not_kept_either(inside):
    outside = Visitor(inside.auth)
    replies = [
        outside.get("/account"),
        outside.get(authorization()),
        inside.decide(authorization()),
        inside.get("/login"),
        inside.post("/logout", fields(inside.get("/account"), "/logout")),
    ]
    for reply in replies:
        assert reply.status_code == 303
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("registered", "asked", "named"),
    [
        (("https://app.example/callback",), "https://app.example/callback", ["https://app.example"]),
        (("https://app.example:8443/cb",), "https://app.example:8443/cb", ["https://app.example:8443"]),
        (("http://127.0.0.1/cb",), "http://127.0.0.1:3000/cb", ["http://127.0.0.1:3000", "http://127.0.0.1"]),
        (("http://[::1]/cb",), "http://[::1]:3000/cb", ["http:"]),
        (("cursor://anysphere.cursor-mcp/cb",), "cursor://anysphere.cursor-mcp/cb", ["cursor:"]),
        (
            ("https://a.example/cb", "https://b.example/cb"),
            "https://b.example/cb",
            ["https://b.example", "https://a.example"],
        ),
    ],
)
def test_the_consent_form_may_lead_to_the_verified_redirect(auth, inside, registered, asked, named):
    auth.add(public_client("other", redirect_uris=registered))
    reply = inside.get(authorization(client_id="other", redirect_uri=asked))
    policy = reply.headers["content-security-policy"]
    targets = re.search(r"form-action ([^;]*);", policy)[1].split()
    onward = [] if asked.startswith("cursor") else list(ONWARD)
    assert targets == ["'self'", *named, *onward]
    assert {"https:", "claude:", "vscode:"} <= set(ONWARD)
    assert "frame-ancestors 'none'" in policy


def test_no_other_form_leads_anywhere_but_here(inside):
    for name, reply in every_page(inside):
        if name != "consent":
            assert "form-action 'self';" in reply.headers["content-security-policy"], name


def test_what_an_app_calls_itself_is_escaped_everywhere(auth, inside):
    auth.add(public_client("evil", name=EVIL))
    page = inside.get(authorization(client_id="evil"))
    user = auth.call(auth.server.users.find, "alice")
    allowed = {"client_name": EVIL, "scopes": ("mcp.read",), "resource": auth.issuer, "lifetime": 9999}
    auth.call(auth.server.grants.issue_direct, user, client_id="evil", **allowed)
    for shown in (page, inside.get("/account")):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown.text
        assert "{{ 7*7 }}" in shown.text
        assert "<script" not in shown.text
        assert "onerror" not in "".join(str(tag) for tag in Markup(shown.text).tags)


@pytest.mark.parametrize(
    "uri", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://x/y"]
)
def test_no_url_of_a_client_comes_where_something_may_run_it(auth, inside, uri):
    # Even one that was stored before it was refused at registration.
    auth.add(public_client("evil", redirect_uris=(uri,), uri=uri))
    reply = inside.get(authorization(client_id="evil", redirect_uri=uri))
    assert reply.status_code == 400
    assert "location" not in reply.headers
    assert uri not in reply.text


def test_a_clients_own_address_is_not_a_link(auth, inside):
    auth.add(public_client("other", uri="https://evil.example/"))
    assert "evil.example" not in inside.get(authorization(client_id="other")).text


CLIENTS = {
    "registered itself": (
        public_client("c"),
        ("Registered itself; not verified", "app.example"),
        ["Nobody has checked who made this app"],
    ),
    "the operator's": (public_client("c", source="cli"), ("Known to whoever runs this server", "app.example"), []),
    "the operator's, on loopback": (
        public_client("c", source="cli", redirect_uris=("http://127.0.0.1:6274/cb",)),
        ("Known to whoever runs this server", "a program on this computer (127.0.0.1)"),
        ["another program could pass itself off as it"],
    ),
    "registered itself, on loopback": (
        public_client("c", redirect_uris=("http://127.0.0.1:6274/cb",)),
        ("Registered itself; not verified", "a program on this computer (127.0.0.1)"),
        ["Nobody has checked who made this app", "another program could pass itself off as it"],
    ),
    "registered itself, on loopback and the web": (
        public_client("c", redirect_uris=("http://localhost/cb", "https://app.example/cb")),
        ("Registered itself; not verified", "a program on this computer (localhost)"),
        ["Nobody has checked who made this app"],
    ),
    "a native app": (
        public_client("c", redirect_uris=("com.example.app:/cb",)),
        ("Registered itself; not verified", "an app on this device (com.example.app:)"),
        ["Nobody has checked who made this app"],
    ),
}
WARNINGS = ("Nobody has checked who made this app", "another program could pass itself off as it")


@pytest.mark.parametrize(("client", "said", "warnings"), CLIENTS.values(), ids=CLIENTS)
def test_the_consent_page_says_who_asks_from_where_and_for_what(auth, inside, client, said, warnings):
    auth.add(client)
    shown = words(inside.get(authorization(client_id="c", redirect_uri=client.redirect_uris[0], scope="mcp.read")))
    assert "Allow An app to use mcpx for you?" in shown
    origin, destination = said
    assert f"App {origin} Answers go to {destination} Signed in as alice" in shown
    assert "See which tools there are, and use those that only read" in shown
    assert "Use every tool" not in shown
    assert [warning for warning in WARNINGS if warning in shown] == warnings


@pytest.mark.parametrize("client", PINNED.values(), ids=lambda client: client.name)
def test_a_client_that_is_known_beforehand_is_named_with_its_publisher(inside, client):
    shown = words(inside.get(authorization(client_id=client.id, redirect_uri=client.redirect_uris[0])))
    assert f"Allow {client.name} to use mcpx for you?" in shown
    assert f"Known to this server, published by {urlsplit(client.id).hostname}" in shown
    assert ("another program" in shown) == all(uri.startswith("http://") for uri in client.redirect_uris)


def test_every_page_can_be_used_without_seeing_it(inside):
    for name, reply in every_page(inside):
        markup = Markup(reply.text)
        assert markup.open == [], name
        assert markup.all("html") == [{"lang": "en"}], name
        assert len(markup.all("h1")) == len(markup.all("main")) == len(markup.all("title")) == 1, name
        assert all("alt" in image for image in markup.all("img")), name
        ids = [attrs["id"] for _, attrs in markup.tags if "id" in attrs]
        assert len(ids) == len(set(ids)), name
        labelled = {label["for"] for label in markup.all("label")}
        for field in markup.all("input"):
            assert field.get("type") == "hidden" or "hidden" in field or field["id"] in labelled, (name, field)
        for _, attrs in markup.tags:
            named = f"{attrs.get('aria-describedby', '')} {attrs.get('aria-labelledby', '')}".split()
            assert set(named) <= set(ids), (name, attrs)


def test_password_managers_know_the_fields(inside):
    sign_in = Markup(Visitor(inside.auth).get("/login").text).all("input")
    account = Markup(inside.get("/account").text).all("input")
    assert [field["autocomplete"] for field in sign_in if "autocomplete" in field] == ["username", "current-password"]
    completed = [field["autocomplete"] for field in account if "autocomplete" in field]
    assert completed == ["username", "current-password", "new-password", "new-password"]


def test_an_error_is_announced_and_tied_to_its_field(inside):
    reply = Visitor(inside.auth).sign_in("alice", "wrong")
    assert "<title>Sign-in failed" in reply.text
    markup = Markup(reply.text)
    assert {"class": "alert", "role": "alert", "id": "problem"} in markup.all("p")
    wrong = [field["name"] for field in markup.all("input") if field.get("aria-invalid") == "true"]
    assert wrong == ["username", "password"]


def test_every_link_and_form_leads_to_a_place_that_exists(auth, inside):
    from starlette.routing import Match

    from auth.server.routes import routes

    served = routes(auth.server, lambda _scope: auth.issuer)
    for name, reply in every_page(inside):
        markup = Markup(reply.text)
        targets = [("GET", link["href"]) for link in markup.all("a")]
        targets += [(form["method"].upper(), form["action"]) for form in markup.all("form")]
        for method, path in targets:
            scope = {"type": "http", "method": method, "path": path.partition("?")[0], "root_path": ""}
            assert any(route.matches(scope)[0] is Match.FULL for route in served), (name, method, path)


def test_the_pages_have_the_icon_and_the_colours_of_the_front_page():
    theirs = Path(front.__file__).with_name("templates")
    ours = Path(__file__).parents[3] / "src/auth/pages/templates"
    assert (ours / "icon.svg").read_text() == (theirs / "icon.svg").read_text()
    colours = [
        dict(re.findall(r"--(\w+): (#\w+)", (path).read_text())) for path in (ours / "style.css", theirs / "page.css")
    ]
    assert colours[1].items() <= colours[0].items()


def luminance(colour):
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "behind", "least"),
    [
        *((ink, ground, 4.5) for ink in ("ink", "soft", "accent") for ground in ("card", "ground", "glow")),
        ("accent-ink", "accent", 4.5),
        ("accent-ink", "accent-strong", 4.5),
        ("good", "good-ground", 4.5),
        ("warn", "warn-ground", 4.5),
        ("bad", "bad-ground", 4.5),
        ("bad", "card", 4.5),
        ("ink", "code", 4.5),
        ("field", "card", 3),
        ("field", "ground", 3),
    ],
)
def test_everything_can_be_told_from_what_is_behind_it(scheme, front, behind, least):
    """WCAG 2.2, 1.4.3 and 1.4.11, level AA."""
    css = (Path(__file__).parents[3] / "src/auth/pages/templates/style.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", blocks[scheme]))
    light, dark = sorted((luminance(colours[front]), luminance(colours[behind])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least
