"""The app with users of its own: who gets in, what everybody else is told, and what can be discovered."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from mcp_app.app import create_app
from tests.support.lambda_scope import OnLambda
from tests.support.mcp_messages import headers, message
from tests.support.mcp_tools import REGISTRY
from tests.support.serve import connected
from tests.support.signed_in import oauth_settings, signed_in

PUBLIC = {"public_url": "https://mcp.example.com", "host": "0.0.0.0"}
ECHO = message("tools/call", {"name": "echo", "arguments": {"message": "hi"}})
WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with signed_in(tmp_path_factory.mktemp("app")) as app:
        yield app


def call(client, token=None, path="/mcp", **more):
    authorization = {} if token is None else {"authorization": f"Bearer {token}"}
    return client.post(path, json=ECHO, headers={**headers(ECHO), **authorization, **more})


def test_a_token_calls_a_tool(app):
    reply = call(app.client, app.token())
    assert (reply.status_code, reply.json()["result"]["content"][0]["text"]) == (200, "hi")


@pytest.mark.parametrize("resource", ["", "/mcp", "/sse"])
@pytest.mark.parametrize("path", ["/", "/mcp"])
def test_a_token_for_one_of_the_servers_urls_is_good_at_all_of_them(app, resource, path):
    assert call(app.client, app.token(resource=app.issuer + resource), path).status_code == 200


@pytest.mark.parametrize(
    "resource", ["https://other.example/mcp", "{issuer}/", "{issuer}/mcp/", "{issuer}.evil.example"]
)
def test_a_token_for_another_resource_is_refused(app, resource):
    reply = call(app.client, app.token(resource=resource.format(issuer=app.issuer)))
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")


def test_a_token_of_another_issuer_is_refused_though_the_key_is_the_same(app):
    token = app.token(issuer="https://other.example", resource=f"{app.issuer}/mcp")
    assert call(app.client, token).status_code == 401


@pytest.mark.parametrize("path", ["/", "/mcp"])
def test_nobody_gets_in_without_a_token(app, path):
    reply = call(app.client, path=path)
    assert (reply.status_code, reply.json()["error"]) == (401, "unauthorized")
    resource = f"{app.issuer}{WELL_KNOWN}{path.rstrip('/')}"
    assert reply.headers["www-authenticate"] == (
        f'Bearer realm="mcp", resource_metadata="{resource}", scope="mcp.read mcp.tools"'
    )


def test_the_metadata_that_a_401_names_is_there_and_names_what_was_asked_for(app):
    for path in ("/", "/mcp"):
        challenge = call(app.client, path=path).headers["www-authenticate"]
        url = challenge.partition('resource_metadata="')[2].partition('"')[0]
        assert app.client.get(url).json()["resource"] == f"{app.issuer}{path.rstrip('/')}"


@pytest.mark.parametrize("parameter", ["access_token", "token"])
def test_a_token_in_the_url_is_refused(app, parameter):
    reply = call(app.client, path=f"/mcp?{parameter}={app.token()}")
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("token", ["forged", "a.b.c", "e30.e30.", "é" * 10, "x" * 10_000])
def test_a_token_that_is_none_is_refused_and_never_shown(app, token, capfd):
    reply = app.client.post("/mcp", json=ECHO, headers={**headers(ECHO), "authorization": f"Bearer {token}".encode()})
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")
    shown = f"{reply.text} {reply.headers} {''.join(capfd.readouterr())}"
    assert token not in shown


def test_a_read_only_token_calls_what_only_reads(app):
    assert call(app.client, app.token("mcp.read")).status_code == 200


def test_a_revoked_grant_is_out_within_a_minute(tmp_path):
    with signed_in(tmp_path) as app:
        token = app.token()
        assert call(app.client, token).status_code == 200
        app.revoke_all()
        app.clock.advance(61)
        reply = call(app.client, token)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")


def test_a_token_ends(tmp_path):
    with signed_in(tmp_path) as app:
        token = app.token()
        app.clock.advance(3700)
        assert call(app.client, token).status_code == 401


def test_a_store_that_does_not_answer_is_a_503_that_says_when_to_ask_again(tmp_path):
    with signed_in(tmp_path) as app:
        token = app.token()
    broken = tmp_path / "broken.db"
    broken.write_text("no database at all, but long enough to be taken for one if nobody looks" * 20)
    with signed_in(tmp_path, auth_db_path=str(broken), public_url=app.issuer) as app:
        reply = call(app.client, token)
        deep = app.client.get("/healthz?deep=1")
    assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
    assert int(reply.headers["retry-after"]) > 0
    assert (deep.status_code, deep.json()["store"]) == (503, {"status": "failed"})
    assert str(tmp_path) not in reply.text + deep.text


def test_the_deep_check_looks_at_the_store_and_signs(app):
    found = app.client.get("/healthz?deep=1").json()
    assert (found["store"], found["signingKey"]) == ({"status": "ok"}, {"status": "ok", "algorithm": "HS256"})


@pytest.mark.parametrize("path", ["", "/mcp", "/sse"])
def test_each_url_of_the_server_has_its_document(app, path):
    reply = app.client.get(f"{WELL_KNOWN}{path}", headers={"Origin": "http://localhost:6274"})
    assert reply.json() == {
        "resource": f"{app.issuer}{path}",
        "resource_name": "mcpx",
        "authorization_servers": [app.issuer],
        "scopes_supported": ["mcp.read", "mcp.tools"],
        "bearer_methods_supported": ["header"],
    }
    assert reply.headers["access-control-allow-origin"] == "http://localhost:6274"
    assert reply.headers["cache-control"] == "public, max-age=300"
    head = app.client.head(f"{WELL_KNOWN}{path}")
    assert (head.status_code, head.content) == (200, b"")
    assert app.client.options(f"{WELL_KNOWN}{path}").status_code == 204


SPOOFED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "81",
    "Forwarded": "host=evil.example;proto=http",
    "X-Original-Url": "https://evil.example/mcp",
}


@pytest.mark.parametrize(
    "path", [WELL_KNOWN, f"{WELL_KNOWN}/mcp", "/.well-known/oauth-authorization-server", "/", "/oauth/openapi.json"]
)
def test_host_and_x_forwarded_headers_decide_no_metadata(tmp_path, path):
    with signed_in(tmp_path, **PUBLIC) as app:
        plain = app.client.get(path)
        spoofed = app.client.get(path, headers=SPOOFED)
        challenge = call(app.client, **SPOOFED).headers["www-authenticate"]
    assert plain.json() == spoofed.json()
    assert "https://mcp.example.com" in spoofed.text
    assert "evil" not in spoofed.text + challenge


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "localhost"])
def test_must_not_17_on_loopback_the_socket_is_the_issuer_by_whatever_name_a_client_comes(app, host):
    for path in (f"{WELL_KNOWN}/mcp", "/.well-known/oauth-authorization-server"):
        reply = app.client.get(path, headers={"Host": host})
        assert (reply.status_code, reply.json()) == (200, app.client.get(path).json())
        assert app.issuer in reply.text


def test_on_lambda_the_events_domain_is_the_issuer(tmp_path):
    settings = oauth_settings(tmp_path, lambda_function="mcp")
    with connected(OnLambda(create_app(settings), "abc.lambda-url.eu-west-1.on.aws")) as client:
        document = client.get(f"{WELL_KNOWN}/mcp", headers=SPOOFED).json()
    assert document["resource"] == "https://abc.lambda-url.eu-west-1.on.aws/mcp"


def test_without_any_address_nothing_is_made_up(tmp_path):
    settings = oauth_settings(tmp_path, lambda_function="mcp", log_level="CRITICAL")
    with connected(OnLambda(create_app(settings))) as client:
        assert {client.get(WELL_KNOWN).status_code, call(client).status_code} == {500}


def test_preflights_need_no_token(app):
    asks = {"Origin": "http://localhost:6274", "Access-Control-Request-Headers": "authorization,content-type"}
    for path in ("/mcp", "/", "/oauth/token", "/oauth/register", WELL_KNOWN):
        reply = app.client.options(path, headers=asks)
        assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (204, "http://localhost:6274")
        assert "Authorization" in reply.headers["access-control-allow-headers"]


@pytest.mark.parametrize("path", ["/login", "/account", "/oauth/authorize"])
def test_no_script_of_another_origin_reads_the_pages(app, path):
    asks = {"Origin": "http://localhost:6274"}
    assert "access-control-allow-origin" not in app.client.get(path, headers=asks).headers
    assert app.client.options(path, headers=asks).status_code == 405


def test_the_pages_keep_their_own_policy(app):
    (policy,) = app.client.get("/login").headers.get_list("content-security-policy")
    assert "form-action" in policy


def test_https_is_demanded_where_clients_come_by_it(tmp_path):
    with signed_in(tmp_path, **PUBLIC) as app:
        replies = [call(app.client), app.client.get("/login"), app.client.get(WELL_KNOWN)]
    assert ["strict-transport-security" in reply.headers for reply in replies] == [True, True, True]


def test_the_front_page_says_who_signs_people_in(app):
    info = app.client.get("/").json()
    assert info["oauth"] == {"issuer": app.issuer, "required": True}
    assert info["endpoints"]["oauth_discovery"] == "/.well-known/oauth-authorization-server"
    page = app.client.get("/", headers={"Accept": "text/html"}).text
    assert '<a href="/account">' in page
    assert "choose OAuth" in page


def test_every_endpoint_that_is_named_exists(app):
    for path in app.client.get("/").json()["endpoints"].values():
        assert app.client.get(path).status_code not in (404, 500), path


def test_where_a_secret_signs_no_keys_are_promised(app):
    assert "jwks" not in app.client.get("/").json()["endpoints"]
    document = app.client.get("/.well-known/oauth-authorization-server").json()
    assert "jwks_uri" not in document
    assert app.client.get("/.well-known/jwks.json").status_code == 404


def test_discovery_may_be_public(tmp_path):
    with signed_in(tmp_path, public_discovery=True) as app:
        body = message("tools/list")
        listed = app.client.post("/mcp", json=body, headers=headers(body)).json()["result"]
        assert (len(listed["tools"]), listed["cacheScope"]) == (5, "private")
        assert call(app.client).status_code == 401
        assert call(app.client, app.token()).status_code == 200


def test_nothing_is_opened_before_somebody_needs_it(tmp_path):
    with signed_in(tmp_path / "later") as app:
        assert call(app.client).status_code == 401
        assert not (tmp_path / "later").exists()


def test_what_happens_is_logged_as_it_is_reported(tmp_path, capfd):
    with signed_in(tmp_path, log_level="INFO") as app:
        app.client.post(
            "/oauth/register", json={"redirect_uris": ["https://app.example/callback"], "client_name": "An app"}
        )
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["logger"] == "auth"]
    assert (line["level"], line["message"], line["event"]) == ("INFO", "client_registered", "client_registered")
    assert set(line["details"]) >= {"client_id"}
    assert line["request_id"]


def test_the_store_is_closed_with_the_server(tmp_path):
    with signed_in(tmp_path) as app:
        assert call(app.client, app.token()).status_code == 200
    with sqlite3.connect(tmp_path / "auth.db") as database:
        database.execute("BEGIN EXCLUSIVE")
        database.rollback()
    database.close()


@pytest.mark.parametrize(
    ("values", "status"),
    [
        (["Bearer"], 401),
        (["Bearer\tabc"], 401),
        (["Basic dXNlcjpwYXNz"], 401),
        (["Basic \xff\xfe"], 401),
        (["\xff"], 401),
        (["Bearer a", "Bearer b"], 400),
        (["Bearer " + "." * 5000], 401),
        (["bearer e30.bnVsbA.e30"], 401),
        (["Bearer eyJhbGciOiJub25lIn0.e30."], 401),
    ],
)
def test_no_authorization_header_makes_the_server_fail(app, values, status):
    fields = [("authorization", value.encode("latin-1")) for value in values]
    reply = app.client.post("/mcp", json=ECHO, headers=[*headers(ECHO).items(), *fields])
    assert reply.status_code == status


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe", "application/json"),
        (b"{", "application/json"),
        (b"[]", "text/plain"),
        (b"", "\xe9"),
        (b"1" * 9, ""),
    ],
)
def test_no_body_makes_the_server_fail_with_or_without_a_token(app, body, content_type):
    for token in ({}, {"authorization": f"Bearer {app.token()}"}):
        sent = {"content-type": content_type.encode("latin-1"), **token}
        assert app.client.post("/mcp", content=body, headers=sent).status_code in (400, 401, 415)


def test_no_refusal_may_be_stored(tmp_path):
    with signed_in(tmp_path) as app:
        refusals = [
            call(app.client),
            call(app.client, "forged"),
            call(app.client, path="/mcp?access_token=x"),
            app.client.post("/oauth/token"),
            app.client.post("/oauth/register"),
            app.client.get("/oauth/userinfo"),
            app.client.get("/oauth/token"),
            app.client.get("/oauth/nothing"),
        ]
    assert [reply.status_code for reply in refusals] == [401, 401, 400, 400, 400, 401, 405, 404]
    assert {reply.headers["cache-control"] for reply in refusals} == {"no-store"}


def test_another_process_decides_the_same(tmp_path):
    with signed_in(tmp_path, **PUBLIC) as one, signed_in(tmp_path, **PUBLIC) as other:
        token = one.token()
        assert (call(one.client, token).status_code, call(other.client, token).status_code) == (200, 200)
        other.revoke_all()
        one.clock.advance(61)
        other.clock.advance(61)
        assert (call(one.client, token).status_code, call(other.client, token).status_code) == (401, 401)


def test_two_principals_at_once_are_never_taken_for_each_other(tmp_path):
    telling = message("tools/call", {"name": "telling", "arguments": {}})
    with signed_in(tmp_path, REGISTRY) as app, ThreadPoolExecutor(8) as pool:
        tokens = {name: app.token(user=name) for name in ("ann", "bob", "cid")}

        def subject(name):
            sent = {**headers(telling), "authorization": f"Bearer {tokens[name]}"}
            reply = app.client.post("/mcp", json=telling, headers=sent)
            return reply.json()["result"]["structuredContent"]["subject"]

        asked = list(tokens) * 30
        assert list(pool.map(subject, asked)) == [f"user-{name}" for name in asked]


def test_what_cannot_be_served_now_is_a_503_everywhere_and_reported(tmp_path, capfd):
    (tmp_path / "broken.db").write_text("no database at all, but long enough to be taken for one if nobody looks" * 20)
    with signed_in(tmp_path, auth_db_path=str(tmp_path / "broken.db"), log_level="WARNING") as app:
        form = {"grant_type": "authorization_code", "client_id": "app", "code": "a.b"}
        token = app.client.post("/oauth/token", data=form)
        page = app.client.get("/account", headers={"Cookie": f"mcpx-session={'x' * 43}"})
    assert (token.status_code, token.json()["error"]) == (503, "temporarily_unavailable")
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    for reply in (token, page):
        assert int(reply.headers["retry-after"]) > 0
        assert reply.headers["cache-control"] == "no-store"
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
    reported = [line["details"]["endpoint"] for line in lines if line.get("event") == "unavailable"]
    assert reported == ["oauth_token", "account"]
    assert str(tmp_path) not in json.dumps(lines)
