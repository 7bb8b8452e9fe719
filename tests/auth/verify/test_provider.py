"""Tokens of an external issuer: which are good, what they say, and every way in which one is not good."""

import hashlib
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auth.base64url import encode
from auth.errors import TemporarilyUnavailableError
from auth.keys.jws import signing_input
from auth.principal import Principal, ProviderToken
from auth.verified_tokens import LEEWAY, LONGEST, REMEMBERED
from auth.verify.authenticator import RefusedError
from auth.verify.fetching import NoDocumentError
from tests.auth.verify.conftest import ISSUER, KEYS_URL
from tests.support.auth_server import START
from tests.support.issuer import LIFETIME, ec_key, jwk, signed
from tests.support.oauth_keys import private_key

pytestmark = pytest.mark.anyio

SECOND = private_key(1)


def carrying(token):
    return {"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())], "query_string": b""}


async def principal(authenticator, token) -> Principal:
    return await authenticator.authenticate(carrying(token))


async def refusal(authenticator, token) -> RefusedError:
    with pytest.raises(RefusedError) as raised:
        await principal(authenticator, token)
    refused = raised.value
    assert refused.description.endswith(".")
    assert refused.description.count(".") == 1
    assert not any(part in refused.description for part in token.split(".") if part)
    return refused


async def test_a_good_token_says_who_calls_and_is_passed_on(made, issuer):
    token = issuer.token(scope="read:inventory dcr.create", client_id="app", tenant="acme")
    assert await principal(made(), token) == Principal(
        "ann",
        "app",
        None,
        ProviderToken(token, ISSUER, frozenset({"read:inventory", "dcr.create"}), "acme", START + LIFETIME),
    )


async def test_an_independent_implementation_takes_the_same_token(issuer):
    key = jwt.PyJWK(issuer.keys[0])
    assert jwt.decode(
        issuer.token(), key, algorithms=["RS256"], issuer=ISSUER, options={"verify_exp": False, "verify_iat": False}
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": ISSUER.upper()},
        {"iss": [ISSUER]},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"exp": None},
        {"exp": START - LEEWAY},
        {"exp": str(START + 60)},
        {"exp": True},
        {"exp": [START + 60]},
        {"exp": 10**400},
        {"nbf": START + LEEWAY + 1},
        {"nbf": "soon"},
        {"nbf": False},
        {"iat": START + LEEWAY + 1},
        {"iat": "now"},
        {"cnf": {"jkt": "thumbprint"}},
        {"cnf": {}},
        {"token_use": "id"},
        {"at_hash": "x"},
        {"c_hash": "x"},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    ],
    ids=str,
)
async def test_must_not_14_a_token_whose_claims_are_not_good_is_refused(made, issuer, claims):
    refused = await refusal(made(), issuer.token(**claims))
    assert (refused.error, refused.status) == ("invalid_token", 401)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": START - LEEWAY + 1},
        {"exp": START + 0.5},
        {"nbf": START + LEEWAY},
        {"nbf": START - 0.5, "iat": None},
        {"iat": None},
        {"aud": "any"},
        {"aud": 7},
        {"token_use": "access"},
        {"azp": "app", "jti": "1", "anything": {"else": []}},
    ],
    ids=str,
)
async def test_what_is_not_demanded_need_not_be_there(made, issuer, claims):
    assert (await principal(made(), issuer.token(**claims))).subject == "ann"


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        {"jku": KEYS_URL},
        {"x5u": KEYS_URL},
        {"x5c": ["MIIB"]},
        {"typ": "id_token"},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": "application/jwt"},
        {"typ": ""},
        {"typ": 7},
        {"kid": 7},
        {"kid": "key-1"},
        {"kid": "KEY-0"},
    ],
    ids=str,
)
async def test_must_not_14_a_header_that_asks_for_more_is_refused(made, issuer, header):
    named = {"alg": "RS256", "kid": "key-0", "typ": "JWT", **header}
    claims = {"iss": ISSUER, "sub": "ann", "exp": START + 60}
    data = signing_input(named, claims)
    token = f"{data.decode()}.{encode(jwt.get_algorithm_by_name('RS256').sign(data, private_key(0)))}"
    assert (await refusal(made(), token)).error == "invalid_token"


@pytest.mark.parametrize("kind", [None, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
async def test_a_token_may_say_that_it_is_one(made, issuer, kind):
    assert await principal(made(), issuer.token(header={"typ": kind}))


async def test_must_not_14_a_token_signed_with_another_key_is_refused(made, issuer):
    assert "signature" in (await refusal(made(), issuer.token(SECOND))).description
    assert "not publish" in (await refusal(made(), issuer.token(SECOND, header={"kid": "theirs"}))).description


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
async def test_must_not_14_a_public_key_is_no_secret(made, issuer, encoding, form):
    secret = private_key(0).public_key().public_bytes(encoding, form)
    data = signing_input({"alg": "HS256", "kid": "key-0"}, {"iss": ISSUER, "sub": "eve", "exp": START + 60})
    token = f"{data.decode()}.{encode(hmac.digest(secret, data, hashlib.sha256))}"
    assert "algorithm" in (await refusal(made(algorithms=("RS256", "PS256", "ES256")), token)).description


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 7, ["RS256"], "RS512", "rs256", "PS256"])
async def test_must_not_14_another_algorithm_or_none_is_refused(made, issuer, algorithm):
    _, payload, signature = issuer.token().split(".")
    other = encode(json.dumps({"alg": algorithm, "kid": "key-0"}).encode())
    for token in (f"{other}.{payload}.", f"{other}.{payload}.{signature}"):
        assert (await refusal(made(), token)).error == "invalid_token"


@pytest.mark.parametrize(
    ("algorithm", "key"), [("RS256", private_key(0)), ("PS256", private_key(0)), ("ES256", ec_key())]
)
async def test_each_algorithm_is_taken_where_it_is_configured(made, issuer, algorithm, key):
    issuer.keys[:] = [jwk(key)]
    token = issuer.token(key, algorithm=algorithm)
    assert await principal(made(algorithms=(algorithm,)), token)
    assert await principal(made(algorithms=("RS256", "PS256", "ES256")), token)
    forged = token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)
    assert (await refusal(made(algorithms=(algorithm,)), forged)).error == "invalid_token"
    others = tuple({"RS256", "PS256", "ES256"} - {algorithm})
    assert (await refusal(made(algorithms=others), token)).error == "invalid_token"


async def test_a_signature_of_another_length_is_wrong(made, issuer):
    issuer.keys[:] = [jwk(ec_key())]
    token = issuer.token(ec_key(), algorithm="ES256")
    for cut in (token[:-4], token.rpartition(".")[0] + "."):
        assert (await refusal(made(algorithms=("ES256",)), cut)).error == "invalid_token"


async def test_without_a_kid_there_must_be_one_key_that_fits(made, issuer):
    token = issuer.token(header={"kid": None})
    assert await principal(made(), token)
    issuer.keys.append(jwk(ec_key(), kid="ec"))
    assert await principal(made(algorithms=("RS256",)), token)
    issuer.keys.append(jwk(SECOND, kid="key-1"))
    assert "which key" in (await refusal(made(), token)).description
    issuer.keys.clear()
    assert (await refusal(made(), token)).error == "invalid_token"


async def test_keys_that_share_a_kid_harm_each_other_not(made, issuer):
    issuer.keys.append(jwk(SECOND))
    for key in (private_key(0), SECOND):
        assert await principal(made(), issuer.token(key))
    assert (await refusal(made(), issuer.token(private_key(2)))).error == "invalid_token"


@pytest.mark.parametrize(
    ("audience", "good"),
    [
        ("mcp", True),
        (["other", "mcp"], True),
        ([7, "mcp"], True),
        ("other", False),
        (["other"], False),
        ("mcp2", False),
        ([], False),
        (None, False),
        (7, False),
        ({"mcp": 1}, False),
    ],
)
async def test_must_not_6_where_an_audience_is_set_a_token_must_be_for_it(made, issuer, audience, good):
    token = issuer.token(aud=audience)
    if good:
        assert await principal(made(audience="mcp"), token)
    else:
        assert "audience" in (await refusal(made(audience="mcp"), token)).description
    assert await principal(made(), token)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "a b"}, "a b"),
        ({"scope": " a  b "}, "a b"),
        ({"scope": ["a", "b"]}, "a b"),
        ({"scp": "a b"}, "a b"),
        ({"scp": ["a", "b"]}, "a b"),
        ({"scopes": "a b"}, "a b"),
        ({"scopes": ["a", "b"]}, "a b"),
        ({"scope": "a", "scp": ["b"], "scopes": ["c"]}, "a b c"),
        ({"scope": "a", "scp": 7, "scopes": [None, "b", {}]}, "a b"),
        ({"scope": "", "scp": [], "scopes": {"a": 1}}, ""),
        ({}, ""),
    ],
)
async def test_scopes_come_in_every_shape_that_issuers_have(made, issuer, claims, scopes):
    token = issuer.token(**claims)
    assert (await principal(made(), token)).token.scopes == frozenset(scopes.split())
    called = await principal(made(tool_scopes=True), token)
    assert called.scopes == frozenset(scopes.split()) | {"mcp.read", "mcp.tools"}


async def test_all_required_scopes_are_needed_and_named(made, issuer):
    demanding = made(scopes=frozenset({"mcp", "read:a"}))
    assert await principal(demanding, issuer.token(scope="read:a mcp x"))
    for scope in ("read:a", "mcp", "", "mcpread:a", None):
        refused = await refusal(demanding, issuer.token(scope=scope))
        assert (refused.error, refused.status, refused.scopes) == ("insufficient_scope", 403, {"mcp", "read:a"})


async def test_where_no_scope_is_required_any_token_will_do(made, issuer):
    assert (await principal(made(), issuer.token(scope="dcr.create"))).scopes is None


@pytest.mark.parametrize(
    ("claims", "client_id", "tenant"),
    [
        ({"client_id": "app", "azp": "other"}, "app", None),
        ({"azp": "app"}, "app", None),
        ({"client_id": 7, "azp": ""}, None, None),
        ({"tenant": "a", "tid": "b"}, None, "a"),
        ({"tenant": "", "tenant_id": "b"}, None, "b"),
        ({"tid": "c"}, None, "c"),
        ({"org_id": 42}, None, "42"),
        ({"org_id": True, "tenant": ["a"]}, None, None),
    ],
)
async def test_client_and_tenant_are_read_where_they_are_told(made, issuer, claims, client_id, tenant):
    called = await principal(made(), issuer.token(**claims))
    assert (called.client_id, called.token.tenant) == (client_id, tenant)


@pytest.mark.parametrize(
    "token",
    [
        "forged",
        "a.b.c",
        "e30.e30.",
        "e30.e30.e30",
        "....",
        "x" * (LONGEST + 1),
        "e30.bnVsbA.e30",
        "ü.ü.ü",
        "e30=.e30.e30",
    ],
)
async def test_what_is_no_token_is_refused(made, token):
    with pytest.raises(RefusedError) as raised:
        await made().authenticate(
            {"type": "http", "headers": [(b"authorization", b"Bearer " + token.encode())], "query_string": b""}
        )
    assert (raised.value.error, raised.value.status) == ("invalid_token", 401)


@pytest.mark.parametrize(
    "payload", [b"[]", b"null", b"{", b'{"sub":"a","sub":"b"}', b"\xff", b'{"exp":NaN}', b'{"exp":1e999}']
)
async def test_claims_that_are_no_object_are_refused(made, issuer, payload):
    token = jwt.api_jws.encode(payload, private_key(0), "RS256", {"kid": "key-0"})
    assert (await refusal(made(), token)).error == "invalid_token"


async def test_a_member_that_is_there_twice_is_refused(made):
    claims = json.dumps({"iss": ISSUER, "exp": START + 60, "sub": "ann"})[:-1] + ', "sub": "eve"}'
    token = jwt.api_jws.encode(claims.encode(), private_key(0), "RS256", {"kid": "key-0"})
    assert (await refusal(made(), token)).error == "invalid_token"


async def test_who_sends_no_token_is_asked_to_sign_in(made):
    with pytest.raises(RefusedError) as raised:
        await made().authenticate({"type": "http", "headers": [], "query_string": b""})
    assert raised.value.error is None


async def test_a_token_that_was_verified_ends_all_the_same(made, issuer, clock):
    authenticator, token = made(), issuer.token()
    assert await principal(authenticator, token)
    clock.advance(LIFETIME + LEEWAY - 1)
    assert await principal(authenticator, token)
    clock.advance(1)
    assert "expired" in (await refusal(authenticator, token)).description
    assert "expired" in (await refusal(authenticator, token)).description


async def test_a_token_is_verified_once(made, issuer, monkeypatch):
    authenticator, token = made(), issuer.token()
    await principal(authenticator, token)
    monkeypatch.setattr("auth.verify.provider.read", None)
    assert (await principal(authenticator, token)).subject == "ann"


async def test_no_more_tokens_are_remembered_than_there_is_room_for(made, issuer):
    authenticator = made()
    for number in range(REMEMBERED + 5):
        await principal(authenticator, issuer.token(jti=str(number)))
    assert len(authenticator._verified._known) == REMEMBERED


async def test_without_keys_nobody_is_let_in_and_nobody_loses_a_token(made, issuer, documents):
    documents.at[KEYS_URL] = NoDocumentError("down")
    authenticator = made()
    with pytest.raises(TemporarilyUnavailableError) as raised:
        await principal(authenticator, issuer.token())
    assert raised.value.retry_after > 0
    assert (await refusal(authenticator, "forged")).error == "invalid_token"


async def test_must_not_14_an_unsigned_token_of_a_known_shape_is_refused(made, issuer):
    token = signed(SECOND, "RS256", {"kid": "key-0", "typ": "JWT"}, {"iss": ISSUER, "sub": "ann", "exp": START + 60})
    assert (await refusal(made(), token.rpartition(".")[0] + ".")).error == "invalid_token"
