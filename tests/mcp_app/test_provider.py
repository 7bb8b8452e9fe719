"""The app with an external authorization server: who gets in, what everybody is told, and beside which other ways."""

import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel

from auth.base64url import encode
from auth.keys.jws import signing_input
from auth.server.resources import PATHS
from mcp_app.app import create_app
from mcp_app.settings import Settings, SettingsError
from mcp_app.tools.context import ToolContext
from mcp_app.tools.registry import Registry
from mcp_app.tools.tool import tool
from mcp_app.tools.utility.echo import echo
from tests.support import faults
from tests.support.issuer import JWKS, LIFETIME, issuing, jwk, signed
from tests.support.lambda_scope import OnLambda
from tests.support.mcp_messages import headers, message
from tests.support.mcp_tools import READS, REGISTRY, Nothing
from tests.support.oauth_keys import private_key
from tests.support.provider_app import called, provider_app, provider_settings
from tests.support.serve import connected

PRM = "/.well-known/oauth-protected-resource"
DISCOVERY = [
    f"/.well-known/{name}{path}" for name in ("oauth-authorization-server", "openid-configuration") for path in PATHS
]
PUBLIC = {"public_url": "https://mcp.example.com", "host": "0.0.0.0"}
REQUIRED = {"provider_required_scopes": "mcp:use read:inventory"}
FIRST = ["provider", "provider,oauth"]
BOTH = ["provider,oauth", "oauth,provider"]
LIST = message("tools/list")


class Stock(BaseModel):
    pieces: int


@tool(title="Stock", annotations=READS, scopes=["read:inventory"])
async def stock(_arguments: Nothing, _context: ToolContext) -> Stock:
    """What is there."""
    return Stock(pieces=7)


STOCK = message("tools/call", {"name": "stock", "arguments": {}})


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with provider_app(tmp_path_factory.mktemp("app")) as app:
        yield app


def refused(reply, error="invalid_token", status=401):
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert reply.headers["cache-control"] == "no-store"
    return reply.headers["www-authenticate"]


def test_a_token_of_the_provider_calls_a_tool(app):
    reply = called(app.client, app.provider.token(scope="dcr.create"))
    assert (reply.status_code, reply.json()["result"]["content"][0]["text"]) == (200, "hi")
    for path in ("/", "/mcp"):
        assert called(app.client, app.provider.token(), path, LIST).status_code == 200


def test_nobody_gets_in_without_a_token_and_no_scope_is_asked_for_that_nobody_wants(app):
    for path in ("/", "/mcp"):
        resource = f"{app.issuer}{PRM}{path.rstrip('/')}"
        challenge = refused(called(app.client, path=path), "unauthorized")
        assert challenge == f'Bearer realm="mcp", resource_metadata="{resource}"'


def test_must_not_14_no_other_token_is_good(app):
    issuer, now = app.provider, int(app.clock())
    public = private_key(0).public_key()
    claims = {"iss": issuer.url, "sub": "eve", "exp": now + 60}
    forged = []
    for encoding in (Encoding.PEM, Encoding.DER):
        data = signing_input({"alg": "HS256", "kid": "key-0"}, claims)
        secret = public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        forged.append(f"{data.decode()}.{encode(hmac.digest(secret, data, hashlib.sha256))}")
    forged.append(signing_input({"alg": "none"}, claims).decode() + ".")
    forged += [
        issuer.token(iss="https://other.example"),
        issuer.token(exp=now - 60),
        issuer.token(nbf=now + 60),
        issuer.token(sub=None),
        issuer.token(private_key(1)),
        issuer.token(header={"kid": "theirs"}),
        issuer.token(header={"typ": "logout+jwt"}),
        issuer.token(header={"jku": f"{issuer.url}{JWKS}"}),
        issuer.token(cnf={"jkt": "x"}),
        issuer.token(token_use="id"),
        signed(private_key(0), "RS256", {"kid": "key-0"}, {**claims, "exp": None}),
        "forged",
    ]
    for token in forged:
        challenge = refused(called(app.client, token))
        assert challenge.startswith('Bearer realm="mcp", error="invalid_token", error_description="')
        assert challenge.endswith(f'resource_metadata="{app.issuer}{PRM}/mcp"')


def test_a_token_in_the_url_is_refused(app):
    refused(called(app.client, path=f"/mcp?access_token={app.provider.token()}"), "invalid_request", 400)


def test_a_token_for_another_audience_is_refused_where_one_is_set(tmp_path):
    with provider_app(tmp_path, provider_audience="https://mcp.example.com/mcp") as app:
        good = app.provider.token(aud=["x", "https://mcp.example.com/mcp"])
        assert called(app.client, good).status_code == 200
        for audience in (None, "https://mcp.example.com", []):
            refused(called(app.client, app.provider.token(aud=audience)))


@pytest.mark.parametrize("modes", FIRST)
def test_too_few_scopes_are_a_403_that_names_all_that_are_required(tmp_path, modes):
    with provider_app(tmp_path, auth_mode=modes, **REQUIRED) as app:
        assert called(app.client, app.provider.token(scope="read:inventory mcp:use")).status_code == 200
        for scope in ("read:inventory", "dcr.create", None):
            challenge = refused(called(app.client, app.provider.token(scope=scope)), "insufficient_scope", 403)
            assert 'error="insufficient_scope"' in challenge
            assert challenge.endswith(f'{PRM}/mcp", scope="mcp:use read:inventory"')
        assert refused(called(app.client), "unauthorized").endswith('scope="mcp:use read:inventory"')
        assert app.client.get(PRM).json()["scopes_supported"] == ["dcr.create", "mcp:use", "read:inventory"]


def test_with_oauth_first_the_403_still_names_what_the_provider_must_give(tmp_path):
    with provider_app(tmp_path, auth_mode="oauth,provider", **REQUIRED) as app:
        challenge = refused(called(app.client, app.provider.token()), "insufficient_scope", 403)
        assert challenge.endswith('scope="mcp:use read:inventory"')
        assert refused(called(app.client), "unauthorized").endswith('scope="mcp.read mcp.tools"')


def test_a_key_that_is_rotated_out_ends_its_tokens_and_a_new_one_is_found(tmp_path):
    with provider_app(tmp_path) as app:
        issuer, new = app.provider, private_key(1)
        old = issuer.token(exp=int(app.clock()) + 7200)
        assert called(app.client, old).status_code == 200
        issuer.keys[:] = [jwk(new, kid="key-1")]
        assert called(app.client, issuer.token(new, header={"kid": "key-1"})).status_code == 200
        assert issuer.count(JWKS) == 2
        app.clock.advance(600)
        refused(called(app.client, old))


def test_the_last_good_keys_serve_while_the_provider_is_down(tmp_path):
    with provider_app(tmp_path, log_level="CRITICAL") as app:
        token = app.provider.token(exp=int(app.clock()) + 7200)
        assert called(app.client, token).status_code == 200
        app.provider.faults.always = faults.status(500, "<h1>down</h1>")
        app.clock.advance(3600)
        assert called(app.client, token).status_code == 200
        assert app.client.get("/healthz?deep=1").json()["jwks"] == {"status": "ok", "keysFound": 1}


def test_without_keys_it_is_a_503_that_says_when_to_ask_again(tmp_path, capfd):
    with provider_app(tmp_path, log_level="WARNING") as app:
        app.provider.faults.always = faults.status(404, "<h1>secret-page</h1>")
        reply = called(app.client, app.provider.token())
        assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
        assert int(reply.headers["retry-after"]) > 0
        assert "www-authenticate" not in reply.headers
        deep = app.client.get("/healthz?deep=1")
        assert (deep.status_code, deep.json()["jwks"]) == (503, {"status": "failed"})
        app.provider.faults.always = None
        app.clock.advance(10)
        assert called(app.client, app.provider.token()).status_code == 200
    logged = capfd.readouterr().out
    assert "provider_unavailable" in logged
    assert "secret-page" not in logged + reply.text + deep.text


@pytest.mark.parametrize("answer", [faults.body("x" * 300_000), faults.status(302, "", location="/elsewhere")])
def test_an_answer_that_is_too_large_or_leads_elsewhere_gives_no_keys(tmp_path, answer):
    with provider_app(tmp_path, log_level="CRITICAL") as app:
        app.provider.documents["/elsewhere"] = {"keys": app.provider.keys}
        app.provider.faults.path, app.provider.faults.always = JWKS, answer
        assert called(app.client, app.provider.token()).status_code == 503
        assert "/elsewhere" not in app.provider.asked


def test_fifty_requests_at_once_fetch_the_keys_once(tmp_path):
    with provider_app(tmp_path) as app, ThreadPoolExecutor(50) as pool:
        tokens = [app.provider.token(sub=f"user-{number}") for number in range(50)]
        statuses = list(pool.map(lambda token: called(app.client, token).status_code, tokens))
        assert (set(statuses), app.provider.count(JWKS)) == ({200}, 1)


def test_two_principals_at_once_are_never_taken_for_each_other(tmp_path):
    telling = message("tools/call", {"name": "telling", "arguments": {}})
    with provider_app(tmp_path, REGISTRY) as app, ThreadPoolExecutor(8) as pool:
        tokens = {name: app.provider.token(sub=name) for name in ("ann", "bob", "cid")}

        def subject(name):
            return called(app.client, tokens[name], body=telling).json()["result"]["structuredContent"]["subject"]

        asked = list(tokens) * 20
        assert list(pool.map(subject, asked)) == asked


@pytest.mark.parametrize("modes", FIRST)
def test_the_providers_metadata_is_told_again_at_all_six_paths_byte_by_byte(tmp_path, modes):
    with provider_app(tmp_path, auth_mode=modes) as app:
        replies = [app.client.get(path, headers={"Origin": "http://localhost:6274"}) for path in DISCOVERY]
        assert len(replies) == 6
        assert {reply.content for reply in replies} == {replies[0].content}
        assert replies[0].json() == app.provider.metadata()
        for reply in replies:
            assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
            assert reply.headers["cache-control"] == "public, max-age=300"
            assert reply.headers["access-control-allow-origin"] == "http://localhost:6274"
        assert app.client.options(DISCOVERY[0]).status_code == 204
        assert app.provider.count("/.well-known/oauth-authorization-server") == 1


def test_where_the_provider_has_no_metadata_the_settings_tell_it(tmp_path):
    with issuing() as issuer:
        endpoints = {
            "provider_authorization_endpoint": f"{issuer.url}/oauth2/authorize",
            "provider_token_endpoint": f"{issuer.url}/oauth2/token",
            "provider_registration_endpoint": f"{issuer.url}/oauth2/register",
            "provider_jwks_uri": f"{issuer.url}{JWKS}",
        }
        settings = provider_settings(tmp_path, issuer, log_level="CRITICAL", **endpoints)
        with connected(create_app(settings)) as client:
            told = client.get(DISCOVERY[0]).json()
            resource = client.get(PRM).json()
    assert told == {
        "issuer": issuer.url,
        "authorization_endpoint": f"{issuer.url}/oauth2/authorize",
        "token_endpoint": f"{issuer.url}/oauth2/token",
        "registration_endpoint": f"{issuer.url}/oauth2/register",
        "jwks_uri": f"{issuer.url}{JWKS}",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    }
    assert "scopes_supported" not in resource


def test_where_nobody_tells_it_there_is_a_503_and_still_a_resource(tmp_path):
    with issuing() as issuer:
        settings = provider_settings(tmp_path, issuer, log_level="CRITICAL")
        with connected(create_app(settings)) as client:
            for path in DISCOVERY:
                reply = client.get(path)
                assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
                assert int(reply.headers["retry-after"]) > 0
                assert reply.headers["cache-control"] == "no-store"
            resource = client.get(f"{PRM}/mcp")
    assert (resource.status_code, resource.json()["authorization_servers"]) == (200, [issuer.url])
    assert "scopes_supported" not in resource.json()


@pytest.mark.parametrize("path", PATHS)
def test_each_url_of_the_server_names_the_provider(app, path):
    assert app.client.get(f"{PRM}{path}").json() == {
        "resource": f"{app.issuer}{path}",
        "resource_name": "mcpx",
        "authorization_servers": [app.provider.url],
        "scopes_supported": ["dcr.create"],
        "bearer_methods_supported": ["header"],
    }


def test_with_tool_scopes_the_tools_scopes_are_told_and_enforced(tmp_path):
    with provider_app(tmp_path, Registry([echo, stock]), tool_scopes=True) as app:
        assert app.client.get(PRM).json()["scopes_supported"] == ["dcr.create", "read:inventory"]
        good, poor = app.provider.token(scope="read:inventory"), app.provider.token(scope="dcr.create")
        assert called(app.client, good, body=STOCK).status_code == 200
        for token in (good, poor):
            assert called(app.client, token).status_code == 200
            assert called(app.client, token, body=LIST).status_code == 200
        reply = called(app.client, poor, body=STOCK)
        assert reply.status_code == 403
        challenge = reply.headers["www-authenticate"]
        assert 'error="insufficient_scope"' in challenge
        assert challenge.endswith('scope="read:inventory"')
        (in_band,) = reply.json()["result"]["_meta"]["mcp/www_authenticate"]
        assert in_band.endswith('scope="read:inventory"')


def test_a_wider_grant_must_still_hold_what_the_server_requires(tmp_path):
    given = {"tool_scopes": True, "provider_required_scopes": "mcp:use"}
    with provider_app(tmp_path, Registry([stock]), **given) as app:
        reply = called(app.client, app.provider.token(scope="mcp:use"), body=STOCK)
        assert reply.status_code == 403
        assert reply.headers["www-authenticate"].endswith('scope="mcp:use read:inventory"')


def test_the_listing_names_no_scope_that_the_provider_does_not_know(tmp_path):
    with provider_app(tmp_path, Registry([echo, stock]), tool_scopes=True) as app:
        listed = called(app.client, app.provider.token(), body=LIST).json()["result"]["tools"]
    schemes = {tool["name"]: tool["_meta"]["securitySchemes"] for tool in listed}
    assert schemes == {"echo": [{"type": "oauth2"}], "stock": [{"type": "oauth2", "scopes": ["read:inventory"]}]}


@pytest.mark.parametrize(("modes", "scopes"), [("provider,oauth", None), ("oauth,provider", ["mcp.read"])])
def test_the_listing_is_for_the_users_of_the_issuer_that_comes_first(tmp_path, modes, scopes):
    with provider_app(tmp_path, Registry([echo]), auth_mode=modes) as app:
        (tool,) = called(app.client, app.provider.token(), body=LIST).json()["result"]["tools"]
    assert tool["_meta"]["securitySchemes"][0].get("scopes") == scopes


def test_without_tool_scopes_a_token_may_call_every_tool(tmp_path):
    with provider_app(tmp_path, Registry([stock])) as app:
        assert called(app.client, app.provider.token(), body=STOCK).status_code == 200


@pytest.mark.parametrize("modes", BOTH)
def test_both_issuers_tokens_are_good_in_either_order_and_each_for_its_own_door(tmp_path, modes):
    with provider_app(tmp_path, auth_mode=modes) as app:
        assert called(app.client, app.provider.token()).status_code == 200
        assert called(app.client, app.token()).status_code == 200
        # Signed by the provider in our name, and by us in the provider's.
        refused(called(app.client, app.provider.token(iss=app.issuer, aud=f"{app.issuer}/mcp", client_id="x")))
        refused(called(app.client, app.token(issuer=app.provider.url, resource=f"{app.issuer}/mcp")))
        refused(called(app.client, "forged"))
        app.revoke_all()
        app.clock.advance(61)
        refused(called(app.client, app.token(user="bob")[:-4] + "AAAA"))
        assert called(app.client, app.provider.token()).status_code == 200


def test_our_own_authorization_server_works_in_second_place(tmp_path):
    with provider_app(tmp_path, auth_mode="provider,oauth") as app:
        registered = app.client.post("/oauth/register", json={"redirect_uris": ["https://app.example/callback"]})
        assert registered.status_code == 201
        assert app.client.get("/login").status_code == 200
        assert app.client.post("/oauth/token").status_code == 400
        assert app.client.get(PRM).json()["authorization_servers"] == [app.provider.url]
        assert app.client.get("/").json()["oauth"] == {"issuer": app.provider.url, "required": True}


def test_with_our_own_first_its_metadata_is_told_and_the_provider_is_named_second(tmp_path):
    with provider_app(tmp_path, auth_mode="oauth,provider") as app:
        for path in DISCOVERY:
            assert app.client.get(path).json()["issuer"] == app.issuer
        resource = app.client.get(PRM).json()
        assert resource["authorization_servers"] == [app.issuer, app.provider.url]
        assert resource["scopes_supported"] == ["mcp.read", "mcp.tools"]
        assert refused(called(app.client), "unauthorized").endswith('scope="mcp.read mcp.tools"')
        assert app.client.get("/").json()["oauth"]["issuer"] == app.issuer


def test_tool_scopes_are_our_own_servers_too(tmp_path):
    with provider_app(tmp_path, Registry([stock]), auth_mode="oauth,provider", tool_scopes=True) as app:
        offered = app.client.get(PRM).json()["scopes_supported"]
        assert offered[:3] == ["mcp.read", "mcp.tools", "read:inventory"]
        assert called(app.client, app.token("mcp.read", "read:inventory"), body=STOCK).status_code == 200
        assert called(app.client, app.token("mcp.read", "mcp.tools", user="bob"), body=STOCK).status_code == 403


IAM = {"accessKey": "AKIA", "accountId": "1", "userArn": "arn:aws:iam::1:user/ann", "userId": "AIDA"}


@pytest.mark.parametrize("modes", ["iam,provider", "provider,iam", "iam,oauth,provider", "provider,iam,oauth"])
def test_aws_identities_may_come_beside(tmp_path, modes):
    with issuing() as issuer:
        issuer.publish()
        settings = provider_settings(
            tmp_path, issuer, auth_mode=modes, lambda_function="mcp", log_level="CRITICAL", provider_metadata_url=None
        )
        app = OnLambda(create_app(settings), "abc.lambda-url.eu-west-1.on.aws")
        with connected(app) as client:
            assert called(client).status_code == 401
            assert called(client, "forged").status_code == 401
            authorities = client.get(PRM).json()["authorization_servers"]
            app.event["requestContext"]["authorizer"] = {"iam": IAM}
            assert called(client).status_code == 200
    own = "https://abc.lambda-url.eu-west-1.on.aws"
    assert authorities == ([own, issuer.url] if modes == "iam,oauth,provider" else [issuer.url])


def test_on_lambda_neither_table_nor_keys_are_needed(tmp_path):
    with issuing() as issuer:
        issuer.publish()
        settings = Settings(
            auth_mode="provider", provider_issuer=issuer.url, lambda_function="mcp", log_level="CRITICAL"
        )
        issuer.clock.now = time.time()
        with connected(OnLambda(create_app(settings), "abc.lambda-url.eu-west-1.on.aws")) as client:
            reply = called(client, issuer.token())
            assert reply.status_code == 200
            assert "strict-transport-security" in reply.headers
            assert client.get("/oauth/token").status_code == 404
            assert client.get(f"{PRM}/mcp").json()["resource"] == "https://abc.lambda-url.eu-west-1.on.aws/mcp"


def test_discovery_may_be_public_and_then_asks_for_nothing_that_the_provider_does_not_know(tmp_path):
    with provider_app(tmp_path, public_discovery=True) as app:
        assert called(app.client, body=LIST).status_code == 200
        reply = called(app.client)
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"] == f'Bearer realm="mcp", resource_metadata="{app.issuer}{PRM}/mcp"'
        (in_band,) = reply.json()["result"]["_meta"]["mcp/www_authenticate"]
        assert "scope=" not in in_band
        assert called(app.client, app.provider.token()).status_code == 200
        refused(called(app.client, "forged", body=LIST))


def test_the_front_page_says_where_people_sign_in(app):
    info = app.client.get("/").json()
    assert info["oauth"] == {"issuer": app.provider.url, "required": True}
    for name, path in {
        "oauth_discovery": "/.well-known/oauth-authorization-server",
        "openid_discovery_mcp": "/.well-known/openid-configuration/mcp",
        "protected_resource": PRM,
        "health": "/healthz",
    }.items():
        assert info["endpoints"][name] == path
    assert not any(path.startswith(("/oauth/", "/login")) for path in info["endpoints"].values())
    page = app.client.get("/", headers={"Accept": "text/html"}).text
    assert app.provider.url.removeprefix("http://") in page
    assert "choose OAuth" in page
    assert "/account" not in page


def test_every_endpoint_that_is_named_exists(app):
    for path in app.client.get("/").json()["endpoints"].values():
        assert app.client.get(path).status_code not in (404, 500), path


def test_the_deep_check_counts_the_keys_and_says_what_is_not_enforced(app):
    deep = app.client.get("/healthz?deep=1").json()
    assert (deep["status"], deep["jwks"]) == ("ok", {"status": "ok", "keysFound": 1})
    assert [notice.partition(" ")[0] for notice in deep["notices"]] == ["PROVIDER_AUDIENCE", "PROVIDER_REQUIRED_SCOPES"]
    assert "notices" not in app.client.get("/healthz").json()


def test_what_is_not_enforced_is_said_at_the_start(tmp_path, capfd):
    with provider_app(tmp_path, log_level="WARNING"):
        pass
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
    said = [line["message"] for line in lines if line["logger"] == "mcp_app.app"]
    assert [message.partition(" ")[0] for message in said] == ["PROVIDER_AUDIENCE", "PROVIDER_REQUIRED_SCOPES"]


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"provider_issuer": None}, "needs PROVIDER_ISSUER.*PRESET=neonpanel"),
        ({"host": "0.0.0.0"}, "AUTH_MODE=provider needs PUBLIC_URL"),
        ({"public_url": "http://mcp.example.com"}, "AUTH_MODE=provider needs a PUBLIC_URL that begins with https://"),
        ({"lambda_function": "mcp", "public_url": "http://mcp.example.com"}, "begins with https://"),
        ({"provider_issuer": "http://issuer.example"}, "PROVIDER_ISSUER must begin with https://"),
        ({"provider_jwks_uri": "http://issuer.example/keys"}, "PROVIDER_JWKS_URI must begin with https://"),
        ({"provider_metadata_url": "http://issuer.example/m"}, "PROVIDER_METADATA_URL must begin with https://"),
        ({"provider_token_endpoint": "http://issuer.example/t"}, "PROVIDER_TOKEN_ENDPOINT must begin with"),
        ({"provider_authorization_endpoint": "http://i.example/a"}, "PROVIDER_AUTHORIZATION_ENDPOINT must"),
        ({"provider_registration_endpoint": "http://i.example/r"}, "PROVIDER_REGISTRATION_ENDPOINT must"),
        ({"neonpanel_tools": True, "neonpanel_api_base": "http://np.example"}, "NEONPANEL_API_BASE must begin with"),
        ({"neonpanel_tools": True, "neonpanel_user_jwt_url": "http://np.example/j"}, "NEONPANEL_USER_JWT_URL must"),
        ({"neonpanel_tools": True, "neonpanel_introspect_url": "http://n.example/i"}, "NEONPANEL_TOKEN_INTROSPECT_URL"),
        ({"neonpanel_tools": True, "neonpanel_token_url": "http://np.example/t"}, "NEONPANEL_OAUTH_TOKEN_URL must"),
        ({"auth_mode": "oauth,provider", "public_url": "https://issuer.example"}, "PROVIDER_ISSUER is this server's"),
        ({"auth_mode": "provider,oauth", "lambda_function": "mcp"}, "needs AUTH_TABLE"),
    ],
)
def test_it_is_refused_where_it_would_not_be_safe(given, advice):
    with pytest.raises(SettingsError, match=advice):
        create_app(Settings(**{"auth_mode": "provider", "provider_issuer": "https://issuer.example", **given}))


@pytest.mark.parametrize(
    "given",
    [
        {},
        PUBLIC,
        {"lambda_function": "mcp"},
        {"provider_issuer": "http://127.0.0.1:9"},
        {"provider_jwks_uri": "http://localhost:9/keys"},
        {"tool_scopes": True},
        {"provider_issuer": "http://[::1]:9/realm/"},
    ],
)
def test_it_may_start_where_it_is_safe(given):
    assert create_app(Settings(**{"auth_mode": "provider", "provider_issuer": "https://issuer.example", **given}))


def test_the_preset_starts_without_anything_else():
    app = create_app(Settings(preset="neonpanel", log_level="CRITICAL"))
    with connected(app) as client:
        assert client.get("/").json()["oauth"] == {"issuer": "https://my.neonpanel.com", "required": True}
        assert called(client).status_code == 401


def test_https_is_demanded_where_clients_come_by_it(tmp_path):
    with provider_app(tmp_path, **PUBLIC) as app:
        replies = [called(app.client), app.client.get(PRM), app.client.get(DISCOVERY[0])]
    assert ["strict-transport-security" in reply.headers for reply in replies] == [True] * 3


def test_a_token_is_in_no_reply_and_no_log(tmp_path, capfd):
    with provider_app(tmp_path, log_level="DEBUG", **REQUIRED) as app:
        tokens = [app.provider.token(), app.provider.token(exp=1), app.provider.token(private_key(1))]
        replies = [called(app.client, token) for token in tokens]
        app.clock.advance(LIFETIME)
    shown = "".join(capfd.readouterr()) + "".join(f"{reply.text}{reply.headers}" for reply in replies)
    assert not any(part in shown for token in tokens for part in token.split(".")[1:])


def test_only_posts_need_a_token(app):
    assert app.client.get("/mcp").status_code == 405
    assert app.client.post("/mcp", json=LIST, headers=headers(LIST)).status_code == 401
