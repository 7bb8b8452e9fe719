"""The authorization endpoint, as browsers and clients see it."""

import html
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from auth.records import client_key
from auth.server.authorization_request import STATE_LENGTH
from auth.server.consent import LIFETIME
from auth.server.documents import SHORTEST_KEPT
from auth.server.resources import PATHS
from store.protocol import StoreUnavailableError
from tests.support.auth_server import Clock, auth_server, public_client
from tests.support.client_documents import client_documents
from tests.support.visitor import CALLBACK, REQUEST, Visitor, alice, answer, authorization, fields, words


@pytest.fixture
def visitor(auth):
    return alice(auth, public_client())


@pytest.fixture
def inside(visitor):
    assert visitor.sign_in().headers["location"] == "/account"
    return visitor


@pytest.fixture(scope="module")
def visitors(tmp_path_factory):
    """Somebody who did not sign in, and somebody who did, at a server that nothing changes."""
    with auth_server(tmp_path_factory.mktemp("shared")) as running:
        signed_in = alice(running, public_client(), public_client("known", source="cli"))
        signed_in.sign_in()
        yield Visitor(running), signed_in


def grant_of(auth, reply):
    return auth.call(auth.server.grants.find, answer(reply)["code"].partition(".")[0])


UNVERIFIED = {
    "no client": {"client_id": None},
    "an unknown client": {"client_id": "nobody"},
    "a client that is no id": {"client_id": "client#app"},
    "a client over http": {"client_id": "http://client.example/oauth/client.json"},
    "a very long client": {"client_id": "a" * 3000},
    "no redirect URI": {"redirect_uri": None},
    "another site": {"redirect_uri": "https://evil.example/callback"},
    "a longer path": {"redirect_uri": f"{CALLBACK}/more"},
    "a query of its own": {"redirect_uri": f"{CALLBACK}?next=https://evil.example"},
    "dot segments": {"redirect_uri": "https://app.example/x/../callback"},
    "escaped dot segments": {"redirect_uri": "https://app.example/x/%2e%2e/callback"},
    "user info": {"redirect_uri": "https://app.example@evil.example/callback"},
    "a fragment": {"redirect_uri": f"{CALLBACK}#fragment"},
    "plain http": {"redirect_uri": "http://app.example/callback"},
    "another port": {"redirect_uri": "https://app.example:8443/callback"},
    "another case": {"redirect_uri": "https://APP.example/callback"},
    "javascript": {"redirect_uri": "javascript:alert(1)"},
    "data": {"redirect_uri": "data:text/html,<script>alert(1)</script>"},
    "a line break": {"redirect_uri": f"{CALLBACK}\r\nSet-Cookie: a=b"},
    "a letter beyond ASCII": {"redirect_uri": "https://app.example/callbäck"},
}


@pytest.mark.parametrize("changes", UNVERIFIED.values(), ids=UNVERIFIED)
@pytest.mark.parametrize("signed_in", [False, True])
def test_nobody_is_redirected_before_client_and_redirect_uri_are_verified(visitors, changes, signed_in):
    visitor = visitors[signed_in]
    # Whatever else is wrong must not lead to the redirect URI either.
    for more in ({}, {"scope": "admin"}, {"response_type": "token"}):
        reply = visitor.get(authorization(**changes, **more))
        assert reply.status_code == 400
        assert "location" not in reply.headers
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_repeated_client_or_redirect_uri_is_a_page(inside, name):
    reply = inside.get(f"{authorization()}&{name}={REQUEST[name]}")
    assert reply.status_code == 400
    assert "location" not in reply.headers


REFUSED = {
    "no response type": ({"response_type": None}, "invalid_request"),
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "hybrid": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "a form": ({"response_mode": "form_post"}, "invalid_request"),
    "a request object": ({"request": "e30.e30."}, "invalid_request"),
    "a pushed request": ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "an empty challenge": ({"code_challenge": ""}, "invalid_request"),
    "no challenge and no method": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "no method, which means plain": ({"code_challenge_method": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "a method in small letters": ({"code_challenge_method": "s256"}, "invalid_request"),
    "a short challenge": ({"code_challenge": "A" * 42}, "invalid_request"),
    "a long challenge": ({"code_challenge": "A" * 44}, "invalid_request"),
    "a padded challenge": ({"code_challenge": "A" * 42 + "="}, "invalid_request"),
    "a challenge with a line break": ({"code_challenge": "A" * 43 + "\n"}, "invalid_request"),
    "an unknown scope": ({"scope": "mcp.read admin"}, "invalid_scope"),
    "scopes with two spaces": ({"scope": "mcp.read  mcp.tools"}, "invalid_scope"),
    "another server": ({"resource": "https://other.example/mcp"}, "invalid_target"),
    "another path": ({"resource": "http://127.0.0.1/other"}, "invalid_target"),
    "a long scope": ({"scope": "mcp.read " * 400}, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "code"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(("signed_in", "client_id"), [(True, "app"), (True, "known"), (False, "known")])
def test_errors_go_to_the_verified_redirect_with_state_and_issuer(visitors, changes, code, signed_in, client_id):
    visitor = visitors[signed_in]
    reply = visitor.get(authorization(client_id=client_id, **changes))
    assert reply.headers["location"].startswith(f"{CALLBACK}?")
    told = answer(reply)
    assert told.pop("error_description")
    assert told == {"error": code, "state": REQUEST["state"], "iss": visitor.auth.issuer}
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("changes", "code"), REFUSED.values(), ids=REFUSED)
def test_a_link_to_this_server_leads_nobody_who_did_not_sign_in_to_a_client_that_anybody_may_have_registered(
    visitors, changes, code
):
    reply = visitors[False].get(authorization(**changes))
    assert reply.status_code == 400
    assert "location" not in reply.headers
    assert reply.headers["cache-control"] == "no-store"
    (link,) = re.findall(rf'href="({re.escape(CALLBACK)}[^"]*)">Back to app.example<', reply.text)
    told = dict(parse_qsl(urlsplit(html.unescape(link)).query))
    assert told.pop("error_description")
    assert told == {"error": code, "state": REQUEST["state"], "iss": visitors[False].auth.issuer}


@pytest.mark.parametrize("method", [None, "plain", "S512"])
def test_pkce_can_neither_be_left_out_nor_downgraded(inside, method):
    for challenge in (None, REQUEST["code_challenge"]):
        reply = inside.get(authorization(code_challenge=challenge, code_challenge_method=method))
        assert answer(reply)["error"] == "invalid_request"
        assert "code" not in answer(reply)


@pytest.mark.parametrize("state", [None, "", "s" * (STATE_LENGTH + 1)])
def test_a_state_is_required_and_not_longer_than_any_client_needs(inside, state):
    told = answer(inside.get(authorization(state=state)))
    assert told["error"] == "invalid_request"
    assert "state" not in told


@pytest.mark.parametrize("name", [name for name in REQUEST if name not in ("client_id", "redirect_uri")])
def test_a_repeated_parameter_is_refused(inside, name):
    told = answer(inside.get(f"{authorization()}&{name}=other"))
    assert told["error"] == "invalid_request"
    assert ("state" in told) == (name != "state")


@pytest.mark.parametrize(
    "state", ["x", "a b+c%2B&=#?/", "ключ", "<script>alert(1)</script>", "\r\nX-Evil: 1", '"', "s" * STATE_LENGTH]
)
def test_the_state_comes_back_untouched(inside, state):
    assert answer(inside.decide(authorization(state=state)))["state"] == state
    assert answer(inside.decide(authorization(state=state), "deny"))["state"] == state


def test_who_allows_it_sends_a_code_to_the_client(auth, inside):
    reply = inside.decide(authorization())
    assert reply.headers["location"].startswith(f"{CALLBACK}?")
    assert set(answer(reply)) == {"code", "state", "iss"}
    assert answer(reply)["iss"] == auth.issuer
    grant = grant_of(auth, reply)
    assert (grant.client_id, grant.client_name, grant.resource) == ("app", "An app", f"{auth.issuer}/mcp")
    assert set(grant.scopes) == {"mcp.read", "mcp.tools"}
    assert (grant.code.redirect_uri, grant.code.challenge) == (CALLBACK, REQUEST["code_challenge"])


def test_who_denies_it_sends_an_error_to_the_client(auth, inside):
    told = answer(inside.decide(authorization(), "deny"))
    assert told == {
        "error": "access_denied",
        "error_description": "The user said no.",
        "state": REQUEST["state"],
        "iss": auth.issuer,
    }
    assert "consent_denied" in auth.names()
    assert "code_issued" not in auth.names()


@pytest.mark.parametrize("decision", [{}, {"decision": ""}, {"decision": "Allow"}, {"decision": "yes"}])
def test_only_a_clear_yes_allows_anything(auth, inside, decision):
    reply = inside.post("/oauth/authorize", inside.question(authorization()) | decision)
    assert answer(reply)["error"] == "invalid_request"
    assert "code_issued" not in auth.names()


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (None, {"mcp.read", "mcp.tools"}),
        ("mcp.read", {"mcp.read"}),
        ("mcp.tools mcp.read mcp.tools", {"mcp.read", "mcp.tools"}),
    ],
)
def test_the_grant_holds_the_scopes_that_were_asked_for_and_by_default_both(auth, inside, asked, granted):
    grant = grant_of(auth, inside.decide(authorization(scope=asked)))
    assert set(grant.scopes) == granted


def test_a_client_gets_no_more_than_it_registered_for(auth, inside):
    auth.add(public_client("reader", scopes=("mcp.read",)))
    assert grant_of(auth, inside.decide(authorization(client_id="reader"))).scopes == ("mcp.read",)
    told = answer(inside.get(authorization(client_id="reader", scope="mcp.tools")))
    assert told["error"] == "invalid_scope"


def test_a_client_without_the_grant_type_may_not_ask(auth, inside):
    auth.add(public_client("machine", grant_types=("client_credentials",)))
    assert answer(inside.get(authorization(client_id="machine")))["error"] == "unauthorized_client"


@pytest.mark.parametrize("path", [*PATHS, "/"])
def test_each_of_the_servers_urls_is_a_resource(auth, inside, path):
    grant = grant_of(auth, inside.decide(authorization(resource=f"{auth.issuer}{path}")))
    assert grant.resource == f"{auth.issuer}{path}".removesuffix("/")


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("http://127.0.0.1/callback", "http://127.0.0.1:33418/callback"),
        ("http://localhost:1234/callback", "http://localhost:4321/callback"),
        ("http://[::1]/callback", "http://[::1]:5555/callback"),
        ("https://app.example/callback?kind=mcp", "https://app.example/callback?kind=mcp"),
        ("com.example.app:/callback", "com.example.app:/callback"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback"),
    ],
)
def test_the_answer_goes_exactly_where_the_client_asked_for_it(auth, inside, registered, asked):
    auth.add(public_client("native", redirect_uris=(registered,)))
    reply = inside.decide(authorization(client_id="native", redirect_uri=asked))
    assert reply.headers["location"].startswith(f"{asked}{'&' if '?' in asked else '?'}code=")
    assert grant_of(auth, reply).code.redirect_uri == asked


def test_a_request_may_be_posted(visitor):
    visitor.sign_in()
    reply = visitor.post("/oauth/authorize", REQUEST, origin="https://app.example", sec_fetch_site="cross-site")
    assert reply.status_code == 200
    assert "Allow" in words(reply)


@pytest.mark.parametrize(
    "body", [b"\xff=\xfe", b"client_id=%ff", b"a=" + b"x" * 70_000, b"client_id=app&client_id=app"], ids=range(4)
)
def test_no_body_is_a_fault_of_the_server(inside, body):
    reply = inside.post("/oauth/authorize", body)
    assert reply.status_code == 400
    assert "location" not in reply.headers


@pytest.mark.parametrize("query", ["client_id=%ff", "%", "a=1" + "&a=1" * 60, "=&=&", "client_id=app&redirect_uri=%00"])
def test_no_query_is_a_fault_of_the_server(inside, query):
    assert inside.get(f"/oauth/authorize?{query}").status_code == 400


def test_another_content_type_is_refused(inside):
    assert inside.post("/oauth/authorize", b"{}", content_type="application/json").status_code == 400


def test_the_user_is_asked_every_time(auth, inside):
    for _ in range(2):
        inside.decide(authorization())
    assert inside.get(authorization()).status_code == 200
    assert auth.names().count("code_issued") == 2


def test_a_new_client_is_never_let_in_without_a_question(auth, visitor):
    reply = visitor.get(authorization())
    assert reply.headers["location"].startswith("/login?continue=")
    after = visitor.sign_in(start=reply.headers["location"])
    assert after.headers["location"].startswith("/oauth/authorize?")
    assert "code_issued" not in auth.names()
    assert 'name="decision" value="allow"' in visitor.follow(after).text


FOREIGN = {
    "another site": {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
    "a site beside ours": {"origin": "https://evil.example", "sec_fetch_site": "same-site"},
    "nowhere": {"origin": "null", "sec_fetch_site": "none"},
    "another site, by an older browser": {"origin": "https://evil.example", "sec_fetch_site": ""},
    "a sandboxed frame": {"origin": "null", "sec_fetch_site": ""},
    "no browser": {"origin": "", "sec_fetch_site": ""},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_a_consent_that_another_page_posts_is_refused(auth, inside, headers):
    form = inside.question(authorization()) | {"decision": "allow"}
    reply = inside.post("/oauth/authorize", form, **headers)
    assert reply.status_code == 403
    assert "code_issued" not in auth.names()


def test_an_older_browser_without_fetch_metadata_can_consent(inside):
    form = inside.question(authorization()) | {"decision": "allow"}
    assert "code" in answer(inside.post("/oauth/authorize", form, sec_fetch_site=""))


def test_a_consent_is_bound_to_the_browser_that_was_asked(auth, inside):
    stolen = inside.question(authorization()) | {"decision": "allow"}
    auth.call(auth.server.users.add, "mallory", "another password here")
    other = Visitor(auth)
    other.sign_in("mallory", "another password here")
    reply = other.post("/oauth/authorize", stolen)
    assert reply.headers["location"].startswith("/oauth/authorize?")
    assert "code_issued" not in auth.names()
    assert "mallory" in words(other.follow(reply))


def test_a_consent_without_a_session_asks_to_sign_in_again(auth, inside):
    form = inside.question(authorization()) | {"decision": "allow"}
    inside.cookies.pop("mcpx-session")
    reply = inside.follow(inside.post("/oauth/authorize", form))
    assert reply.headers["location"].startswith("/login?continue=")
    assert "code_issued" not in auth.names()


def test_a_consent_is_for_the_whole_request_that_was_shown(auth, inside):
    field = inside.question(authorization())["consent"]
    body, _, tag = field.partition(".")
    for changed in (f"{body}x.{tag}", f"{body[:-4]}.{tag}", f"{body}.{tag[:-2]}", body, f".{tag}", "é.é", ""):
        reply = inside.post("/oauth/authorize", {"consent": changed, "decision": "allow"})
        assert reply.status_code == 400, changed
    # A seal of another purpose is none.
    target = fields(inside.get(authorization()), "/logout")["continue"]
    assert inside.post("/oauth/authorize", {"consent": target, "decision": "allow"}).status_code == 400
    assert "code_issued" not in auth.names()


def test_a_page_that_was_open_for_too_long_is_too_old(auth, inside):
    form = inside.question(authorization()) | {"decision": "allow"}
    auth.clock.advance(LIFETIME - 1)
    assert "code" in answer(inside.post("/oauth/authorize", form))
    auth.clock.advance(1)
    reply = inside.post("/oauth/authorize", form)
    assert reply.status_code == 400
    assert "too old" in words(reply)


def test_a_double_click_gives_the_client_a_good_code_each_time(auth, inside):
    form = inside.question(authorization()) | {"decision": "allow"}
    first, second = (answer(inside.post("/oauth/authorize", form)) for _ in range(2))
    assert first["code"] != second["code"]


def test_a_client_that_is_removed_while_the_user_thinks_gets_nothing(auth, inside):
    form = inside.question(authorization()) | {"decision": "allow"}
    auth.call(auth.server.store.delete, client_key("app"))
    reply = inside.post("/oauth/authorize", form)
    assert reply.status_code == 400
    assert "location" not in reply.headers
    assert "code_issued" not in auth.names()


def test_a_question_outlives_a_rotation_of_the_servers_secret(auth, inside):
    form = inside.question(authorization()) | {"decision": "allow"}
    auth.secrets.rotate("another secret of the server, as long as the first")
    assert "code" in answer(inside.post("/oauth/authorize", form))


@pytest.mark.parametrize("header", ["host", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-original-url"])
def test_no_header_decides_where_anybody_is_sent(auth, visitor, header):
    evil = {header: "evil.example"}
    assert visitor.get(authorization(), **evil).headers["location"].startswith("/login?continue=")
    visitor.sign_in()
    assert answer(visitor.get(authorization(scope="x"), **evil))["iss"] == auth.issuer
    page = visitor.get(authorization(), **evil)
    assert "evil.example" not in page.text
    form = {"consent": fields(page, "/oauth/authorize")["consent"], "decision": "allow"}
    reply = visitor.post("/oauth/authorize", form, **evil)
    assert reply.headers["location"].startswith(f"{CALLBACK}?")
    assert answer(reply)["iss"] == auth.issuer


def test_without_the_store_a_page_says_to_try_again(auth, inside):
    async def unavailable(*_, **__):
        raise StoreUnavailableError("no answer from 10.0.0.1", 7)

    inside.auth.server.store.get = unavailable
    reply = inside.get(authorization())
    assert reply.status_code == 503
    assert reply.headers["retry-after"] == "7"
    assert "10.0.0.1" not in reply.text


@pytest.fixture
def site(tmp_path):
    with client_documents(tmp_path) as site:
        yield site


@pytest.fixture
def described(site, tmp_path):
    clock = Clock()
    with auth_server(tmp_path, clock=clock, documents=site.documents(clock)) as running:
        yield running


def test_metadata_documents_are_fetched_for_a_signed_in_user_only(site, described):
    url = site.publish(redirect_uris=[CALLBACK], client_name="Described")
    visitor = alice(described)
    for path in (authorization(client_id=url), authorization(client_id=url, scope="x")):
        assert visitor.get(path).headers["location"].startswith("/login?continue=")
    assert site.connections == 0
    after = visitor.sign_in(start=authorization(client_id=url))
    assert site.connections == 0
    page = visitor.follow(after)
    assert len(site.requests) == 1
    assert "Described" in words(page)
    assert "Described by client.example" in words(page)


@pytest.mark.parametrize("query", ["", "&scope=mcp.read&scope=mcp.tools", "&state=other"])
def test_before_sign_in_an_error_of_a_described_client_is_a_page(site, described, query):
    url = site.publish(redirect_uris=[CALLBACK])
    path = authorization(client_id=url) + query if query else authorization(client_id=url, code_challenge=None)
    reply = Visitor(described).get(path)
    assert reply.status_code == 400
    assert "location" not in reply.headers


def test_a_described_client_is_looked_at_again_when_the_user_has_decided(site, described):
    url = site.publish(redirect_uris=[CALLBACK])
    visitor = alice(described)
    visitor.sign_in()
    form = visitor.question(authorization(client_id=url)) | {"decision": "allow"}
    described.clock.advance(SHORTEST_KEPT)
    assert "code" in answer(visitor.post("/oauth/authorize", form))
    assert len(site.requests) == 2


def test_a_redirect_uri_that_the_document_does_not_name_is_refused(site, described):
    url = site.publish(redirect_uris=["https://app.example/other"])
    visitor = alice(described)
    reply = visitor.follow(visitor.sign_in(start=authorization(client_id=url)))
    assert reply.status_code == 400
    assert "location" not in reply.headers


def test_a_document_that_cannot_be_had_is_a_page_that_tells_nothing_of_the_network(site, described):
    visitor = alice(described)
    reply = visitor.follow(visitor.sign_in(start=authorization(client_id=site.url("/missing"))))
    assert reply.status_code == 400
    assert "404" not in words(reply)


def test_an_error_that_only_the_document_shows_leaves_the_sign_in_form_by_a_link(site, described):
    url = site.publish(redirect_uris=[CALLBACK], scope="mcp.read")
    visitor = alice(described)
    after = visitor.sign_in(start=authorization(client_id=url, scope="mcp.tools"))
    page = visitor.get(after.headers["location"], **{"sec-fetch-site": "same-origin"})
    assert page.status_code == 400
    assert f'href="{CALLBACK}?error=invalid_scope&amp;' in page.text
    assert answer(visitor.get(after.headers["location"]))["error"] == "invalid_scope"
