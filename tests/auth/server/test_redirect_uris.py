from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auth.errors import InvalidRedirectUriError
from auth.server.redirect_uris import (
    KNOWN_SCHEMES,
    LONGEST,
    check,
    host_of,
    is_loopback,
    is_native,
    matches,
    origin_of,
    permitted,
)
from tests.support.browser_url import BrowserUrls, browser_urls


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserUrls]:
    with browser_urls() as parser:
        yield parser


GOOD = [
    "https://claude.ai/api/mcp/auth_callback",
    "https://chatgpt.com/connector/oauth/kDmjx77UnKOM",
    "https://app.example:8443/callback?from=us&to=you",
    "https://app.example",
    "https://93.184.216.34/callback",
    "https://intranet/callback",
    "http://127.0.0.1/callback",
    "http://127.0.0.1:33418",
    "http://[::1]:5000/callback",
    "http://localhost:6274/oauth/callback/debug",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "vscode://ms-vscode.mcp/callback",
    "com.example.app:/callback",
    "com.example.app://oauth/callback",
]


@pytest.mark.parametrize("uri", GOOD)
def test_a_client_may_have(uri):
    check(uri)


BAD = [
    ("javascript:alert(1)", "scheme"),
    ("javascript://app.example/%0aalert(1)", "character"),
    ("javascript:/alert(1)", "scheme"),
    ("data:text/html,hello", "scheme"),
    ("data:/text/html,hello", "scheme"),
    ("vbscript:/x", "scheme"),
    ("file:///etc/passwd", "scheme"),
    ("blob:https://app.example/x", "scheme"),
    ("about:blank", "scheme"),
    ("ftp://app.example/x", "scheme"),
    ("ws://app.example/x", "scheme"),
    ("myapp://callback", "scheme"),
    ("urn:ietf:wg:oauth:2.0:oob", "scheme"),
    ("JavaScript:alert(1)", "small letters"),
    ("HTTPS://app.example/cb", "small letters"),
    ("//app.example/cb", "small letters"),
    ("/cb", "small letters"),
    ("app.example/cb", "small letters"),
    ("", "small letters"),
    (" https://app.example/cb", "character"),
    ("https://app.example/cb ", "character"),
    ("https://app.example/cb\n", "character"),
    ("https://app.example/\tcb", "character"),
    ("https://app.example/\x00cb", "character"),
    ("https://app.example/cb%00", "character"),
    ("https://app.example/cb%0d%0aSet-Cookie:a", "character"),
    ("https://app.example\\@evil.example/cb", "character"),
    ("https:\\\\app.example\\cb", "character"),
    ("https://app.example/%5c..%5ccb", "character"),
    ("https://app.example/%zz", "character"),
    ("https://app.example/%", "character"),
    ('https://app.example/"onload="x', "character"),
    ("https://app.example/<script>", "character"),
    ("https://ápp.example/cb", "character"),
    ("https://app.example/cb\u202e", "character"),
    ("https://app\u3002example/cb", "character"),
    ("https://user@app.example/cb", "user info"),
    ("https://user:secret@app.example/cb", "user info"),
    ("https://app.example:@evil.example/cb", "user info"),
    ("http://127.0.0.1@evil.example/cb", "user info"),
    ("cursor://user@host/cb", "user info"),
    ("https://app.example/cb#here", "fragment"),
    ("https://app.example/cb#", "fragment"),
    ("https://app.example/a/../cb", "dot segment"),
    ("https://app.example/./cb", "dot segment"),
    ("https://app.example/cb/..", "dot segment"),
    ("https://app.example/a/%2e%2e/cb", "dot segment"),
    ("https://app.example/a/.%2E/cb", "dot segment"),
    ("https://app.example/a%2f..%2Fcb", "dot segment"),
    ("com.example.app:/a/../cb", "dot segment"),
    ("https://*.app.example/cb", "host"),
    ("https://*/cb", "host"),
    ("https:///cb", "host"),
    ("https:/app.example/cb", "host"),
    ("https:app.example/cb", "host"),
    ("https://APP.example/cb", "host"),
    ("https://app_.example/cb", "host"),
    ("https://-app.example/cb", "host"),
    ("https://app..example/cb", "host"),
    ("https://app.example./cb", "host"),
    ("https://app%2eexample/cb", "host"),
    ("https://[::1]/cb", "host"),
    ("https://[::1/cb", "host"),
    ("https://2130706433/cb", "host"),
    ("https://127.1/cb", "host"),
    ("https://0x7f.0x1/cb", "host"),
    ("https://app.0x/cb", "host"),
    ("https://0177.0.0.1/cb", "host"),
    ("https://256.0.0.1/cb", "host"),
    (f"https://{'a' * 64}.example/cb", "host"),
    (f"https://{'a.' * 127}example/cb", "host"),
    ("com.example.app://*/cb", "host"),
    ("https://app.example:/cb", "port"),
    ("https://app.example:0/cb", "port"),
    ("https://app.example:0443/cb", "port"),
    ("https://app.example:65536/cb", "port"),
    ("https://app.example:44a/cb", "port"),
    ("https://app.example:*/cb", "port"),
    ("http://localhost:*/cb", "port"),
    ("http://app.example/cb", "http for a host"),
    ("http://0.0.0.0/cb", "http for a host"),
    ("http://127.0.0.2/cb", "http for a host"),
    ("http://127.1/cb", "http for a host"),
    ("http://[::ffff:127.0.0.1]/cb", "http for a host"),
    ("http://[0:0:0:0:0:0:0:1]/cb", "http for a host"),
    ("http://LOCALHOST/cb", "http for a host"),
    ("http://localhost./cb", "http for a host"),
    ("http://localhost.evil.example/cb", "http for a host"),
    ("http://127.0.0.1.evil.example/cb", "http for a host"),
    ("http:/127.0.0.1/cb", "http for a host"),
    ("com.example.app:callback", "slash"),
    ("com.example.app:", "slash"),
    ("cursor:alert(1)", "slash"),
    (f"https://app.example/{'a' * LONGEST}", "longer"),
]


@pytest.mark.parametrize(("uri", "why"), BAD)
def test_must_not_4_a_client_may_not_have(uri, why):
    with pytest.raises(InvalidRedirectUriError) as refusal:
        check(uri)
    assert why in refusal.value.description


def test_a_refusal_does_not_repeat_the_uri():
    with pytest.raises(InvalidRedirectUriError) as refusal:
        check("https://secret@app.example/cb")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("uri", GOOD)
def test_a_registered_uri_matches_itself(uri):
    assert matches(uri, uri)


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("http://127.0.0.1/callback", "http://127.0.0.1:54321/callback"),
        ("http://127.0.0.1:33418/callback", "http://127.0.0.1:54321/callback"),
        ("http://127.0.0.1:33418/callback", "http://127.0.0.1/callback"),
        ("http://localhost/callback?a=b", "http://localhost:1/callback?a=b"),
        ("http://[::1]/callback", "http://[::1]:65535/callback"),
    ],
)
def test_on_loopback_any_port_matches(registered, asked):
    assert matches(registered, asked)


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("https://app.example/cb", "https://app.example/cb/"),
        ("https://app.example/cb", "https://app.example/cb?a=b"),
        ("https://app.example/cb", "https://app.example/cb/more"),
        ("https://app.example/cb", "https://app.example/CB"),
        ("https://app.example/cb", "https://APP.example/cb"),
        ("https://app.example/cb", "https://app.example:443/cb"),
        ("https://app.example/cb", "https://app.example/%63b"),
        ("https://app.example/cb", "https://app.example.evil.example/cb"),
        ("https://app.example/cb", "http://app.example/cb"),
        ("https://localhost/cb", "https://localhost:5000/cb"),
        ("https://127.0.0.1/cb", "https://127.0.0.1:5000/cb"),
        ("com.example.app:/cb", "com.example.app:/cb/"),
        ("com.example.app://host/cb", "com.example.app://host:5000/cb"),
        ("http://127.0.0.1/cb", "http://localhost/cb"),
        ("http://localhost/cb", "http://127.0.0.1:5000/cb"),
        ("http://localhost/cb", "http://[::1]/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.2:5000/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb/"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb?a=b"),
        ("http://127.0.0.1/cb?a=b", "http://127.0.0.1:5000/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb#part"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000@evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000\\@evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000/a/../cb"),
        ("http://app.example/cb", "http://app.example:5000/cb"),
    ],
)
def test_must_not_1_another_uri_does_not_match(registered, asked):
    assert not matches(registered, asked)


def test_a_request_may_use_any_of_a_clients_uris():
    registered = ("https://app.example/cb", "http://127.0.0.1/cb")
    assert permitted(registered, "https://app.example/cb")
    assert permitted(registered, "http://127.0.0.1:5000/cb")
    assert not permitted(registered, "https://app.example/other")
    assert not permitted((), "https://app.example/cb")


@pytest.mark.parametrize(
    ("uri", "origin", "host"),
    [
        ("https://app.example/cb", "https://app.example", "app.example"),
        ("https://app.example:443/cb", "https://app.example", "app.example"),
        ("https://app.example:8443/cb", "https://app.example:8443", "app.example"),
        ("http://127.0.0.1:5000/cb", "http://127.0.0.1:5000", "127.0.0.1"),
        ("http://localhost:80/cb", "http://localhost", "localhost"),
        ("http://[::1]:5000/cb", "http:", "[::1]"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor:", "cursor:"),
        ("com.example.app:/cb", "com.example.app:", "com.example.app:"),
    ],
)
def test_where_a_uri_leads(uri, origin, host):
    assert (origin_of(uri), host_of(uri)) == (origin, host)


@pytest.mark.parametrize(
    ("uri", "loopback", "native"),
    [
        ("https://app.example/cb", False, False),
        ("https://localhost/cb", False, False),
        ("http://127.0.0.1:5000/cb", True, True),
        ("cursor://anysphere.cursor-mcp/oauth/callback", False, True),
    ],
)
def test_what_kind_of_client_has_a_uri(uri, loopback, native):
    assert (is_loopback(uri), is_native(uri)) == (loopback, native)


SCHEMES = st.sampled_from(
    ["https", "http", "HTTPS", "javascript", "data", "file", "cursor", "com.example.app", "https:https"]
)
SLASHES = st.sampled_from(["://", ":/", ":", ":///", ":\\\\", "//", ":/\\"])
ODD = st.sampled_from([*"@:/\\#?%.*[]&;= \t\n\x00'\"<>{}|^`~", "%2e", "%2F", "%5c", "%00", "..", "\u3002", "\uff0f"])
NAMES = st.sampled_from(
    ["app.example", "evil.example", "localhost", "127.0.0.1", "[::1]", "127.1", "0x7f.1", "1", "xn--bcher-kva.example"]
)
PIECES = st.one_of(NAMES, ODD, st.text(max_size=3), st.integers(0, 70000).map(str))
BUILT = st.builds(lambda *parts: "".join(parts), SCHEMES, SLASHES, st.lists(PIECES, max_size=8).map("".join))
NEAR = st.builds(
    lambda uri, at, piece: uri[: at % len(uri)] + piece + uri[at % len(uri) :],
    st.sampled_from(GOOD),
    st.integers(0, 100),
    PIECES,
)


@given(uri=st.one_of(BUILT, NEAR))
@example(uri="https://app.example")
@example(uri="com.example.app:/callback")
@example(uri="http://[::1]:5000/callback")
def test_must_not_4_a_browser_reads_an_accepted_uri_as_we_do(browser, uri):
    try:
        check(uri)
    except InvalidRedirectUriError:
        return
    read = browser.read(uri)
    if read is None:
        assert "xn--" in uri  # a name in Punycode that a browser does not take leads nowhere
        return
    scheme = read["protocol"].removesuffix(":")
    assert (read["username"], read["password"], read["hash"]) == ("", "", "")
    assert scheme == uri.partition(":")[0]
    assert ".." not in read["pathname"].split("/")
    if scheme in ("https", "http"):
        assert host_of(uri) == read["hostname"]
        assert origin_of(uri) in (read["origin"], "http:")
        assert scheme == "https" or read["hostname"] in ("127.0.0.1", "[::1]", "localhost")
        assert uri.partition("?")[0].endswith(read["pathname"].removesuffix("/"))
    else:
        assert "." in scheme or scheme in KNOWN_SCHEMES


@given(registered=st.sampled_from([uri for uri in GOOD if uri.startswith("http")]), data=st.data())
def test_must_not_1_what_matches_leads_to_the_registered_place(browser, registered, data):
    at = data.draw(st.integers(0, len(registered)))
    asked = registered[:at] + data.draw(PIECES) + registered[at:]
    if not matches(registered, asked):
        return
    theirs, ours = browser.read(asked), browser.read(registered)
    assert theirs
    assert ours
    ports = {"port", "origin"} if registered.startswith("http://") else set()
    assert {part: theirs[part] for part in theirs if part not in ports} == {
        part: ours[part] for part in ours if part not in ports
    }
