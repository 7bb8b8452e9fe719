import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser

import pytest
from pydantic import Field

from mcp_app.app import create_app
from mcp_app.settings import Settings
from mcp_app.tools import utility
from mcp_app.tools.registry import Registry, discover
from mcp_app.tools.tool import Annotations, Arguments, tool
from mcp_app.version import VERSION
from tests.support.lambda_scope import OnLambda
from tests.support.serve import connected

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PUBLIC = Settings(auth_mode="noauth", log_level="ERROR", public_url="https://mcp.example.com", allow_public_noauth=True)


@pytest.fixture(scope="module")
def client():
    with connected(create_app(Settings(auth_mode="noauth", log_level="ERROR"))) as client:
        yield client


class Page(HTMLParser):
    """What a page holds: its tags with attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def test_machines_get_json(client):
    reply = client.get("/")
    url = str(client.base_url).rstrip("/")
    assert reply.headers["content-type"] == "application/json"
    assert "Accept" in reply.headers["vary"]
    assert reply.json() == {
        "name": "mcpx",
        "version": VERSION,
        "protocol": "2026-07-28",
        "protocols": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
        "description": "Tools for AI assistants, over the Model Context Protocol (streamable HTTP).",
        "endpoints": {"mcp": "/mcp", "health": "/healthz"},
        "oauth": {"required": False},
        "documentation": url,
    }


def test_every_endpoint_that_is_named_exists(client):
    endpoints = client.get("/").json()["endpoints"]
    assert {client.get(path).status_code for path in endpoints.values()} <= {200, 405}
    assert client.get("/sse").status_code == 404


def test_browsers_get_a_page(client):
    reply = client.get("/", headers=BROWSER)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(reply.text)
    assert page.open == []
    assert ("html", {"lang": "en"}) in page.tags
    assert f"{client.base_url}".rstrip("/") + "/mcp" in page.words
    for offered in discover(utility):
        assert offered.title in page.words
        assert offered.description in page.words
    for name in ("ChatGPT", "claude mcp add --transport http mcpx ", "VS Code", "MCP Inspector"):
        assert name in page.words


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(client):
    reply = client.get("/", headers=BROWSER)
    page = Page(reply.text)
    names = {name for name, _ in page.tags}
    assert not names & {"script", "iframe", "object", "form", "input"}
    assert not [attribute for _, attributes in page.tags for attribute in attributes if attribute.startswith("on")]
    assert not [attributes for _, attributes in page.tags if "style" in attributes]
    loaded = [
        attributes[key]
        for name, attributes in page.tags
        for key in ("src", "href")
        if key in attributes and name != "a"
    ]
    assert loaded
    assert all(url.startswith("data:image/svg+xml;base64,") for url in loaded)


def test_the_pages_policy_allows_its_own_style_alone(client):
    reply = client.get("/", headers=BROWSER)
    style = re.search("<style>(.*)</style>", reply.text, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = reply.headers.get_list("content-security-policy")
    assert set(policy.split("; ")) == {
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    }


def test_the_page_is_accessible(client):
    page = Page(client.get("/", headers=BROWSER).text)
    headings = [name for name, _ in page.tags if re.fullmatch("h[1-6]", name)]
    assert headings.count("h1") == 1
    assert all(int(later[1]) <= int(earlier[1]) + 1 for earlier, later in itertools.pairwise(headings))
    assert all("alt" in attributes for name, attributes in page.tags if name == "img")
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    labels = {attributes["aria-labelledby"] for _, attributes in page.tags if "aria-labelledby" in attributes}
    assert labels <= ids
    assert {"header", "main", "footer", "nav"} <= {name for name, _ in page.tags}
    assert {attributes.get("name") for name, attributes in page.tags if name == "meta"} >= {"viewport", "color-scheme"}


class Nothing(Arguments):
    """No arguments."""

    markup: str = Field("", description="x")


@tool(title="<script>alert(1)</script>", annotations=Annotations(read_only=False, destructive=True, open_world=False))
async def evil(_arguments: Nothing, _context):
    """Shows "quotes" & <b>markup</b> $name ${url}."""


def test_what_others_wrote_is_shown_as_text():
    settings = PUBLIC.replace(name='<img src=x onerror="1">$url')
    with connected(create_app(settings, Registry([evil]))) as client:
        text = client.get("/", headers=BROWSER).text
    page = Page(text)
    assert "<script" not in text
    assert "<b>" not in text
    assert [attributes for name, attributes in page.tags if attributes.get("src") == "x"] == []
    assert 'Shows "quotes" & <b>markup</b> $name ${url}.' in page.words
    assert '<img src=x onerror="1">$url' in page.words
    assert "May delete data" in page.words
    assert "claude mcp add --transport http img-src-x-onerror-1-url https://mcp.example.com/mcp" in page.words


def test_the_public_url_is_shown_and_never_what_a_client_sends():
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "ftp"}
    with connected(create_app(PUBLIC)) as client:
        page = client.get("/", headers={**BROWSER, **forged}).text
        info = client.get("/", headers=forged).json()
    assert "https://mcp.example.com/mcp" in page
    assert info["documentation"] == "https://mcp.example.com"
    assert "evil.example" not in page + str(info)


def test_on_lambda_the_address_is_the_events_domain():
    settings = Settings(auth_mode="noauth", log_level="ERROR", lambda_function="mcp", allow_public_noauth=True)
    with connected(OnLambda(create_app(settings), "abc.lambda-url.eu-west-1.on.aws")) as client:
        assert "https://abc.lambda-url.eu-west-1.on.aws/mcp" in client.get("/", headers=BROWSER).text


def test_a_server_that_does_not_know_its_address_says_so():
    settings = Settings(auth_mode="noauth", log_level="ERROR", lambda_function="mcp", allow_public_noauth=True)
    with connected(OnLambda(create_app(settings))) as client:
        assert client.get("/").json()["documentation"] is None
        page = client.get("/", headers=BROWSER).text
    assert "Set <code>PUBLIC_URL</code>" in page


def test_the_operators_documentation_is_linked():
    settings = PUBLIC.replace(documentation_url="https://help.example/mcp")
    with connected(create_app(settings)) as client:
        assert client.get("/").json()["documentation"] == "https://help.example/mcp"
        page = Page(client.get("/", headers=BROWSER).text)
    assert ("a", {"href": "https://help.example/mcp"}) in page.tags


def test_a_loopback_server_says_who_cannot_reach_it(client):
    assert "runs on your own machine" in client.get("/", headers=BROWSER).text


def test_head_is_get_without_a_body(client):
    for headers in ({}, BROWSER):
        shown, head = client.get("/", headers=headers), client.head("/", headers=headers)
        assert head.content == b""
        assert (head.status_code, head.headers["content-length"]) == (200, shown.headers["content-length"])


def test_post_is_mcp(client):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream"}
    here, there = (client.post(path, json=message, headers=accept) for path in ("/", "/mcp"))
    assert here.status_code == 200
    assert here.json() == there.json()
    assert len(here.json()["result"]["tools"]) == len(list(discover(utility)))


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json, text/event-stream"])
def test_an_mcp_client_that_wants_a_stream_hears_no(client, accept):
    reply = client.get("/", headers={"Accept": accept})
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(client, method):
    reply = client.request(method, "/")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, POST")
    assert reply.json()["error"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"auth_mode": "noauth"}, "It is open to everybody, without sign-in."),
        ({"auth_mode": "iam", "lambda_function": "mcp"}, "It takes signed AWS requests only."),
        ({"auth_mode": "oauth", "auth_db_path": "/nowhere/auth.db"}, "it opens this server's sign-in page."),
    ],
)
def test_the_page_says_how_people_get_in(given, words):
    with connected(create_app(Settings(log_level="ERROR", **given))) as client:
        page = Page(client.get("/", headers=BROWSER).text)
    assert words in page.words
    assert (("a", {"href": "/account"}) in page.tags) == (given["auth_mode"] == "oauth")
