"""The dance with the sandbox's authorization server, step by step."""

import re

import jwt
import pytest

from tests.sandbox.caller import REDIRECT_URI, SERVICE, App, told, visitor


@pytest.fixture
def client(sandbox):
    with visitor(sandbox) as found:
        yield found


@pytest.fixture
def app(client):
    return App.registered(client)


def verified(client, token):
    """What an independent library makes of a token, with what the metadata says alone."""
    metadata = client.get("/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(client.get(metadata["jwks_uri"]).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256"], issuer=metadata["issuer"])


def test_somebody_signs_in(client, app):
    page = client.get("/oauth2/authorize", params=app.question())
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    assert {"Continue as Ann", "Continue as Bob", "Continue as Carla", "Deny"} <= set(
        re.findall(r"Continue as \w+|Deny", page.text)
    )
    assert "Sandbox" in page.text
    assert fields.pop("state") == "as is+&amp;"
    reply = client.post("/oauth2/authorize", data={**fields, "state": "as is+&", "person": "bob"})
    answer = told(reply)
    assert reply.headers["location"].startswith(REDIRECT_URI)
    assert answer["state"] == "as is+&"
    tokens = app.tokens(answer["code"]).json()
    claims = verified(client, tokens["access_token"])
    assert (claims["sub"], claims["scope"], claims["client_id"]) == ("bob", "openid", app.id)
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 3600
    assert claims["jti"]
    assert "aud" not in claims


def test_an_answer_has_no_state_where_the_question_had_none(app):
    assert app.answer(state=None).keys() == {"code"}


def test_a_denial_is_told(app):
    answer = app.answer("")
    assert (answer["error"], answer["state"]) == ("access_denied", "as is+&")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_a_wrong_question_is_answered_to_the_app(client, app, changes, error):
    reply = client.get("/oauth2/authorize", params=app.question(**changes))
    assert told(reply)["error"] == error
    assert app.answer(**changes)["error"] == error


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": "https://elsewhere.example/callback"},
        {"redirect_uri": f"{REDIRECT_URI}/more"},
        {"redirect_uri": "http://localhost:33418/callback"},
        {"redirect_uri": "https://127.0.0.1:33418/callback"},
    ],
)
def test_nobody_is_sent_where_the_app_did_not_register(client, app, changes):
    reply = client.get("/oauth2/authorize", params=app.question(**changes))
    assert reply.status_code == 400
    assert "location" not in reply.headers
    assert "This link does not work" in reply.text


def test_loopback_has_any_port(app):
    elsewhere = REDIRECT_URI.replace("33418", "50000")
    code = app.answer(redirect_uri=elsewhere)["code"]
    assert app.tokens(code, redirect_uri=elsewhere).status_code == 200


def test_the_only_redirect_uri_need_not_be_named(client, app):
    assert client.get("/oauth2/authorize", params=app.question(redirect_uri=None)).status_code == 200


def test_the_page_has_a_strict_policy(client, app):
    reply = client.get("/oauth2/authorize", params=app.question())
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in reply.text


def test_the_page_escapes_what_an_app_says(client):
    app = App.registered(client, client_name="<script>alert(1)</script>")
    assert "<script" not in client.get("/oauth2/authorize", params=app.question(state='"><script>')).text


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "b" * 43},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:1/callback"},
        {"code": "unknown"},
    ],
)
def test_a_code_needs_what_it_was_given_for(app, changes):
    code = app.answer()["code"]
    reply = app.tokens(code, **changes)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_good_for_its_client_alone(client, app):
    reply = App.registered(client).tokens(app.answer()["code"])
    assert reply.json()["error"] == "invalid_grant"


def test_a_reused_code_ends_what_it_gave(app):
    code = app.answer()["code"]
    tokens = app.tokens(code).json()
    assert app.tokens(code).json()["error"] == "invalid_grant"
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_token_is_replaced(client, app):
    first = app.tokens(app.answer("carla", scope="openid read:cogs")["code"]).json()
    second = app.refresh(first["refresh_token"]).json()
    claims = verified(client, second["access_token"])
    assert (claims["sub"], claims["scope"]) == ("carla", "openid read:cogs")
    assert app.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.refresh(second["refresh_token"]).status_code == 200


def test_a_refresh_token_is_good_for_its_client_alone(client, app):
    token = app.tokens(app.answer()["code"]).json()["refresh_token"]
    assert App.registered(client).refresh(token).json()["error"] == "invalid_grant"
    assert app.refresh(token).status_code == 200


@pytest.mark.parametrize("by", ["basic", "post"])
def test_the_service_gets_a_token_by_its_secret(client, by):
    fields = {"grant_type": "client_credentials", "scope": "a b", "audience": "https://api.example"}
    posted = {} if by == "basic" else {"client_id": SERVICE[0], "client_secret": SERVICE[1]}
    reply = client.post("/oauth2/token", data={**fields, **posted}, auth=SERVICE if by == "basic" else None)
    tokens = reply.json()
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["scope"], claims["aud"]) == (SERVICE[0], "a b", "https://api.example")
    assert (tokens["expires_in"], tokens["scope"]) == (3600, "a b")
    assert "refresh_token" not in tokens


@pytest.mark.parametrize("auth", [(SERVICE[0], "wrong"), ("nobody", "secret"), (SERVICE[0], "")])
def test_a_wrong_secret_gets_nothing(client, auth):
    reply = client.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")
    assert reply.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic bm9jb2xvbg==", "Bearer abc"])
def test_what_is_no_basic_gets_nothing(client, header):
    fields = {"grant_type": "client_credentials"}
    reply = client.post("/oauth2/token", data=fields, headers={"Authorization": header})
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("grant", "error"), [("password", "unsupported_grant_type"), ("client_credentials", "unauthorized_client")]
)
def test_a_client_gets_what_it_registered_for(client, app, grant, error):
    assert client.post("/oauth2/token", data={"grant_type": grant, "client_id": app.id}).json()["error"] == error


def test_a_public_client_has_no_credentials(client):
    app = App.registered(client, grant_types=["client_credentials"])
    reply = client.post("/oauth2/token", data={"grant_type": "client_credentials", "client_id": app.id})
    assert reply.json()["error"] == "unauthorized_client"


def test_a_client_without_refresh_tokens_gets_none(client):
    app = App.registered(client, grant_types=["authorization_code"])
    assert "refresh_token" not in app.tokens(app.answer()["code"]).json()


def test_a_confidential_client_needs_its_secret(client):
    app = App.registered(client, "client_secret_post")
    assert app.secret
    assert app.tokens(app.answer()["code"]).status_code == 401
    assert app.tokens(app.answer()["code"], client_secret=app.secret).status_code == 200


@pytest.mark.parametrize(
    "metadata",
    [
        b"not json",
        b"[]",
        {},
        {"redirect_uris": []},
        {"redirect_uris": [1]},
        {"redirect_uris": ["http://example.com/callback"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["https://example.com/callback#fragment"]},
        {"redirect_uris": ["/callback"]},
        {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "private_key_jwt"},
        {"redirect_uris": [REDIRECT_URI], "grant_types": ["implicit"]},
        {"redirect_uris": [REDIRECT_URI], "grant_types": "authorization_code"},
    ],
)
def test_wrong_metadata_is_refused(client, metadata):
    sent = {"content": metadata} if isinstance(metadata, bytes) else {"json": metadata}
    reply = client.post("/oauth2/register", **sent)
    assert reply.status_code == 400
    assert reply.json()["error"] in ("invalid_client_metadata", "invalid_redirect_uri")


def test_a_client_can_be_read_with_its_registration_token(client):
    asked = {"redirect_uris": ["app.example:/callback", "https://example.com/callback"], "client_name": "An app"}
    made = client.post("/oauth2/register", json=asked).json()
    assert (made["token_endpoint_auth_method"], made["client_secret_expires_at"]) == ("client_secret_basic", 0)
    token = {"Authorization": f"Bearer {made['registration_access_token']}"}
    assert client.get(made["registration_client_uri"], headers=token).json()["redirect_uris"] == asked["redirect_uris"]
    assert client.get(made["registration_client_uri"]).status_code == 401
    other = client.post("/oauth2/register", json=asked).json()
    assert client.get(other["registration_client_uri"], headers=token).status_code == 401


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
def test_metadata_is_open_to_every_site(client, sandbox, name):
    reply = client.get(f"/.well-known/{name}", headers={"Origin": "https://anywhere.example"})
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.json()["issuer"] == sandbox.url
    assert reply.json()["scopes_supported"] == ["openid"]
    assert reply.json()["code_challenge_methods_supported"] == ["S256"]


def test_a_browser_may_ask_for_tokens(client):
    asked = {"Origin": "https://anywhere.example", "Access-Control-Request-Method": "POST"}
    assert client.options("/oauth2/token", headers=asked).status_code == 200
