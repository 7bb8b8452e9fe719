"""What tokens are exchanged for, and which ones are good."""

import jwt

from sandbox import running
from tests.sandbox.caller import API, SERVICE, App, bearer, person, visitor


def exchange(sandbox, token):
    with bearer(sandbox, token) as client:
        return client.post("/auth/user-jwt")


def introspect(sandbox, token, auth=SERVICE):
    with visitor(sandbox) as client:
        return client.post("/auth/introspect", data={"token": token}, auth=auth)


def test_an_access_token_becomes_the_users_jwt(sandbox):
    reply = exchange(sandbox, sandbox.access_token("ann"))
    claims = jwt.decode(reply.json()["user_jwt"], options={"verify_signature": False})
    assert reply.json()["expires_in"] == 600 == claims["exp"] - claims["iat"]
    assert (claims["iss"], claims["sub"], claims["token_use"]) == (sandbox.url, "ann", "user")
    assert claims["name"] == "Ann Whitaker"
    assert len(claims["companies"]) == 2
    assert "write:import" in claims["permissions"]


def test_no_other_token_does(sandbox):
    user_jwt = exchange(sandbox, sandbox.access_token()).json()["user_jwt"]
    with running() as other:
        foreign = other.access_token()
    good = sandbox.access_token()
    for token in (user_jwt, foreign, "a.b.c", "-", good[:-4], sandbox.access_token(lifetime=-1)):
        assert exchange(sandbox, token).status_code == 401
    assert exchange(sandbox, sandbox.access_token("nobody")).status_code == 401
    assert exchange(sandbox, sandbox.access_token(exp=None)).status_code == 401


def test_claims_and_header_can_be_anything(sandbox):
    token = sandbox.access_token("bob", None, lifetime=60, header={"kid": "x", "typ": None}, aud="y", jti=None)
    claims = jwt.decode(token, options={"verify_signature": False, "verify_aud": False})
    assert claims.keys() == {"iss", "sub", "iat", "exp", "client_id", "aud"}
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": "x"}
    assert jwt.decode(sandbox.sign({"a": 1}), options={"verify_signature": False}) == {"a": 1}


def test_introspection_tells_what_its_switch_says(sandbox):
    token = sandbox.access_token("bob", "openid")
    told = introspect(sandbox, token).json()
    assert (told["active"], told["sub"], told["scope"]) == (True, "bob", "openid")
    assert jwt.decode(told["user_jwt"], options={"verify_signature": False})["sub"] == "bob"
    sandbox.introspection = "permissions"
    told = introspect(sandbox, token).json()
    assert "read:companies" in told["permissions"]
    assert "user_jwt" not in told
    sandbox.introspection = "inactive"
    assert introspect(sandbox, token).json() == {"active": False}


def test_introspection_knows_a_bad_token(sandbox):
    assert introspect(sandbox, "nonsense").json() == {"active": False}
    assert introspect(sandbox, sandbox.access_token(lifetime=-1)).json() == {"active": False}


def test_introspection_is_the_services_alone(sandbox):
    with visitor(sandbox) as client:
        app = App.registered(client, "client_secret_basic")
        assert client.post("/auth/introspect", data={"token": "x"}).status_code == 401
    for auth in ((SERVICE[0], "wrong"), (app.id, app.secret)):
        assert introspect(sandbox, sandbox.access_token(), auth).status_code == 401


def test_the_api_takes_access_tokens_only_by_its_switch(sandbox):
    with bearer(sandbox, sandbox.access_token("bob")) as client:
        assert client.get(f"{API}/companies").status_code == 401
        sandbox.accept_access_tokens = True
        assert len(client.get(f"{API}/companies").json()["data"]) == 1


def test_keys_are_rotated():
    with running() as sandbox, person(sandbox, "ann") as ann, visitor(sandbox) as client:
        before = client.get("/.well-known/jwks.json").json()["keys"]
        sandbox.rotate_keys()
        after = client.get("/.well-known/jwks.json").json()["keys"]
        assert [key["kid"] for key in after[1:]] == [key["kid"] for key in before]
        assert jwt.get_unverified_header(sandbox.access_token())["kid"] == after[0]["kid"]
        assert ann.get(f"{API}/companies").status_code == 200
        sandbox.rotate_keys(keep_old=False)
        assert len(client.get("/.well-known/jwks.json").json()["keys"]) == 1
        assert ann.get(f"{API}/companies").status_code == 401
