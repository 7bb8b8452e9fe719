import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from auth.keys.keys import Keys
from auth.scopes import DEFAULT_SCOPES
from auth.server.config import Config
from auth.server.metadata import authorization_server_metadata, protected_resource_metadata
from auth.server.resources import PATHS
from auth.server.routes import PLACES
from store.sqlite import SqliteStore
from tests.support.auth_server import PLENTY, Clock, auth_server, confidential_client, public_client

ISSUER = "https://mcp.example"
WELL_KNOWN = [
    f"/.well-known/{name}{path}" for name in ("oauth-authorization-server", "openid-configuration") for path in PATHS
]
CONFIG = Config(limits=PLENTY, password_cost=4)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()


@pytest.fixture
def running(tmp_path):
    with auth_server(tmp_path) as server:
        yield server


@pytest.fixture
def signing(tmp_path):
    """A server whose tokens anybody can verify."""
    clock, folder = Clock(), tmp_path / "keys"
    folder.mkdir(mode=0o700)
    store = SqliteStore(tmp_path / "auth.db", clock)
    keys = Keys(store, folder=folder, kms_key=None, hmac_secret=None, access_token=3600, clock=clock)
    with auth_server(tmp_path, clock=clock, store=store, keys=keys) as server:
        yield server


def discovered(running):
    return running.client.get("/.well-known/oauth-authorization-server").json()


def test_the_document_says_what_the_server_does():
    assert authorization_server_metadata(ISSUER, jwks=True, registration=True) == {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/oauth/authorize",
        "token_endpoint": f"{ISSUER}/oauth/token",
        "revocation_endpoint": f"{ISSUER}/oauth/revoke",
        "introspection_endpoint": f"{ISSUER}/oauth/introspect",
        "userinfo_endpoint": f"{ISSUER}/oauth/userinfo",
        "registration_endpoint": f"{ISSUER}/oauth/register",
        "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
        "scopes_supported": ["mcp.read", "mcp.tools"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
    }


@pytest.mark.parametrize("path", WELL_KNOWN)
def test_it_is_found_wherever_clients_look(running, path):
    reply = running.client.get(path)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "public, max-age=300"
    assert reply.json() == authorization_server_metadata(running.issuer, jwks=False, registration=True)


def test_must_not_17_a_host_header_does_not_decide_the_issuer(tmp_path):
    with auth_server(tmp_path, issuer=ISSUER) as running:
        odd = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}
        for path in WELL_KNOWN:
            reply = running.client.get(path, headers=odd)
            assert reply.json()["issuer"] == ISSUER
            assert "evil.example" not in reply.text


def test_must_not_19_no_public_keys_are_advertised_where_a_shared_secret_signs(running):
    assert "jwks_uri" not in discovered(running)
    assert running.client.get("/.well-known/jwks.json").status_code == 404


def test_must_not_19_registration_is_advertised_only_while_it_is_on(tmp_path):
    with auth_server(tmp_path, config=CONFIG._replace(registration=False)) as running:
        assert "registration_endpoint" not in discovered(running)


def test_must_not_19_every_url_that_is_advertised_is_served(signing):
    asked = {
        "authorization_endpoint": ("GET", 400),
        "token_endpoint": ("POST", 401),
        "revocation_endpoint": ("POST", 401),
        "introspection_endpoint": ("POST", 401),
        "userinfo_endpoint": ("GET", 401),
        "registration_endpoint": ("POST", 400),
        "jwks_uri": ("GET", 200),
    }
    urls = {name: url for name, url in discovered(signing).items() if str(url).startswith(f"{signing.issuer}/")}
    assert set(urls) == set(asked)
    for name, (method, status) in asked.items():
        reply = signing.client.request(
            method, urls[name], headers={"content-type": "application/x-www-form-urlencoded"}
        )
        assert (name, reply.status_code) == (name, status)


def test_must_not_19_every_endpoint_that_clients_look_for_is_advertised(signing):
    advertised = {urlsplit(str(value)).path for value in discovered(signing).values()}
    served = {place.path for place in PLACES if place.path.startswith(("/oauth/", "/.well-known/jwks"))}
    assert served - advertised == {"/oauth/openapi.json"}


def test_must_not_19_public_keys_verify_what_was_signed(signing):
    signing.add(confidential_client())
    reply = signing.client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=("backend", "backend-secret")
    )
    header = base64.urlsafe_b64decode(reply.json()["access_token"].split(".")[0] + "==")
    keys = signing.client.get(discovered(signing)["jwks_uri"]).json()["keys"]
    assert any(key["kid"].encode() in header for key in keys)


@pytest.mark.parametrize("kind", ["authorization_code", "refresh_token", "client_credentials", "password"])
def test_must_not_19_the_grant_types_that_are_advertised_are_served_and_no_other(running, kind):
    running.add(confidential_client())
    reply = running.client.post("/oauth/token", data={"grant_type": kind}, auth=("backend", "backend-secret"))
    served = reply.json().get("error") not in ("unsupported_grant_type", "invalid_client", "unauthorized_client")
    assert served == (kind in discovered(running)["grant_types_supported"])


def _identified(method):
    secret = {"client_secret_basic": "backend-secret", "client_secret_post": "backend-secret"}.get(method)
    if method == "client_secret_basic":
        return {"auth": ("backend", secret)}, {}
    return {}, {"client_id": "backend"} | ({"client_secret": secret} if secret else {})


def _client(method):
    return public_client("backend") if method == "none" else confidential_client(auth_method=method)


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize(
    ("endpoint", "form"),
    [
        ("token", {"grant_type": "refresh_token", "refresh_token": "no such token"}),
        ("revocation", {"token": "no such token"}),
        ("introspection", {"token": "no such token"}),
    ],
)
def test_must_not_19_the_ways_to_authenticate_that_are_advertised_are_taken_and_no_other(
    running, endpoint, form, method
):
    running.add(_client(method))
    options, more = _identified(method)
    found = discovered(running)
    reply = running.client.post(found[f"{endpoint}_endpoint"], data=form | more, **options)
    taken = reply.status_code != 401
    assert taken == (method in found[f"{endpoint}_endpoint_auth_methods_supported"])


def test_must_not_19_every_scope_that_is_advertised_can_be_had(running):
    running.add(confidential_client())
    for scope in discovered(running)["scopes_supported"]:
        form = {"grant_type": "client_credentials", "scope": scope}
        reply = running.client.post("/oauth/token", data=form, auth=("backend", "backend-secret"))
        assert (reply.status_code, reply.json()["scope"]) == (200, scope)


REQUEST = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": "https://app.example/callback",
    "state": "untouched",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, None),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
    ],
)
def test_must_not_19_a_request_as_advertised_is_taken_and_another_is_told_why(running, changes, error):
    running.add(public_client(source="cli"))
    reply = running.client.get("/oauth/authorize", params=REQUEST | changes)
    assert reply.status_code == 303
    target = urlsplit(reply.headers["location"])
    if error is None:
        assert target.path == "/login"
        return
    told = {name: values[0] for name, values in parse_qs(target.query).items()}
    assert (target.netloc, told["error"], told["state"]) == ("app.example", error, "untouched")
    assert told["iss"] == discovered(running)["issuer"]


@pytest.mark.parametrize("path", PATHS)
def test_each_resource_has_its_own_document(path):
    assert protected_resource_metadata(ISSUER, path, name="mcpx") == {
        "resource": f"{ISSUER}{path}",
        "resource_name": "mcpx",
        "authorization_servers": [ISSUER],
        "scopes_supported": list(DEFAULT_SCOPES),
        "bearer_methods_supported": ["header"],
    }


def test_a_resource_may_have_another_authorization_server_and_other_scopes():
    found = protected_resource_metadata(
        ISSUER, "", name="mcpx", authorization_servers=["https://my.neonpanel.com"], scopes=["read:inventory"]
    )
    assert found["authorization_servers"] == ["https://my.neonpanel.com"]
    assert found["scopes_supported"] == ["read:inventory"]
