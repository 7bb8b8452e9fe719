"""Access tokens: what ours say, and every way in which a token is not ours."""

import base64
import json
import secrets
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.keys.key_set import MAX_AGE, PAUSE
from auth.keys.keys import Keys
from auth.tokens import AccessTokens, Claims
from auth.verified_tokens import LEEWAY, LONGEST, REMEMBERED, InvalidTokenError
from store.protocol import StoreUnavailableError
from store.sqlite import SqliteStore
from tests.support.ailing_store import AilingStore
from tests.support.auth_server import START
from tests.support.oauth_keys import SECRET, make_keys, pem, private_key, put_set, rsa_keys, signing_key

pytestmark = pytest.mark.anyio

ISSUER = "https://mcp.example"
AUDIENCES = frozenset({ISSUER, f"{ISSUER}/mcp"})
LIFETIME = 600
KEY = signing_key()
HEADER = {"typ": "at+jwt", "kid": KEY.id}
CLAIMS = {
    "iss": ISSUER,
    "sub": "user-1",
    "aud": f"{ISSUER}/mcp",
    "client_id": "app",
    "scope": "mcp.read mcp.tools",
    "iat": START,
    "exp": START + LIFETIME,
    "jti": "token-1",
    "gid": "grant-1",
}


@pytest.fixture
async def store(tmp_path, clock):
    made = AilingStore(SqliteStore(tmp_path / "auth.db", clock))
    yield made
    await made.aclose()


@pytest.fixture
async def keys(store, clock, tmp_path):
    return await rsa_keys(store, tmp_path, clock)


@pytest.fixture
def tokens(keys):
    return AccessTokens(keys, secrets.token_bytes)


async def verify(tokens: AccessTokens, token: str, now: float = START, issuer: str = ISSUER) -> Claims:
    return await tokens.verify(token, issuer=issuer, audiences=AUDIENCES, now=now)


async def issue(tokens: AccessTokens, **changes: Any) -> str:
    members = {
        "issuer": ISSUER,
        "subject": "user-1",
        "audience": f"{ISSUER}/mcp",
        "client_id": "app",
        "scopes": {"mcp.tools", "mcp.read"},
        "grant_id": "grant-1",
        "now": START,
        "lifetime": LIFETIME,
    }
    return await tokens.issue(**{**members, **changes})


def forged(header: Any = None, claims: Any = None, *, key: Any = None, algorithm: str = "RS256") -> str:
    """A token made by hand, and signed with our own key unless another is given."""
    joined = f"{segment(header or {'alg': algorithm, **HEADER})}.{segment(claims or CLAIMS)}"
    signer = jwt.get_algorithm_by_name(algorithm)
    signature = signer.sign(joined.encode(), signer.prepare_key(key or private_key()))
    return f"{joined}.{encoded(signature)}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: Any) -> str:
    return encoded(value if isinstance(value, bytes) else json.dumps(value).encode())


async def refusal(tokens: AccessTokens, token: str, now: float = START) -> str:
    with pytest.raises(InvalidTokenError) as raised:
        await verify(tokens, token, now)
    return str(raised.value)


async def test_a_token_says_what_was_granted(tokens):
    claims = await verify(tokens, await issue(tokens))
    assert claims._replace(token_id="") == Claims(
        subject="user-1",
        client_id="app",
        scopes=frozenset({"mcp.read", "mcp.tools"}),
        grant_id="grant-1",
        audience=f"{ISSUER}/mcp",
        expires=START + LIFETIME,
        token_id="",
    )


async def test_an_independent_implementation_reads_the_members_of_rfc_9068(tokens, keys):
    token = await issue(tokens)
    published = jwt.PyJWKSet.from_dict(await keys.jwks())
    read = jwt.decode_complete(
        token,
        published[KEY.id],
        algorithms=["RS256"],
        audience=f"{ISSUER}/mcp",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert read["header"] == {"typ": "at+jwt", "alg": "RS256", "kid": KEY.id}
    assert {**read["payload"], "jti": "token-1"} == CLAIMS


async def test_a_clients_own_token_has_no_grant_and_may_have_no_scope(tokens):
    token = await issue(tokens, subject="client:app", grant_id=None, scopes=())
    claims = await verify(tokens, token)
    assert (claims.subject, claims.grant_id, claims.scopes) == ("client:app", None, frozenset())


async def test_no_two_tokens_are_the_same(tokens):
    assert await issue(tokens) != await issue(tokens)


async def test_what_an_independent_implementation_signs_with_our_key_is_verified(tokens):
    assert (await verify(tokens, jwt.encode(CLAIMS, pem(private_key()), "RS256", HEADER))).subject == "user-1"
    assert (await verify(tokens, forged())).token_id == "token-1"


FOREIGN_KEY = private_key(7)
EMBEDDED = {**HEADER, "alg": "RS256", "jwk": json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(FOREIGN_KEY.public_key()))}
WITHOUT_KID = {"typ": "at+jwt", "alg": "RS256"}
MALFORMED = "The access token is malformed."
NOT_OURS = "This is not an access token of this server."
UNKNOWN_KEY = "The access token is signed with a key that this server does not have."
ALGORITHM = "The access token is signed with another algorithm."
SIGNATURE = "The access token's signature is wrong."

FOREIGN: dict[str, tuple[Callable[[], str], str]] = {
    "none": (lambda: f"{segment({'alg': 'none', **HEADER})}.{segment(CLAIMS)}.", ALGORITHM),
    "none with a signature": (lambda: forged({"alg": "none", **HEADER}), ALGORITHM),
    "None": (lambda: forged({"alg": "None", **HEADER}), ALGORITHM),
    "HS256 with the public key as its secret": (
        lambda: forged(key=KEY.public["n"].encode(), algorithm="HS256"),
        ALGORITHM,
    ),
    "HS256 in the name of the shared secret": (
        lambda: forged({"typ": "at+jwt", "alg": "HS256", "kid": "hs256"}, key=SECRET, algorithm="HS256"),
        UNKNOWN_KEY,
    ),
    "RS512 with our key": (lambda: forged(algorithm="RS512"), ALGORITHM),
    "PS256 with our key": (lambda: forged(algorithm="PS256"), ALGORITHM),
    "RS256 said, RS512 done": (lambda: forged({"alg": "RS256", **HEADER}, algorithm="RS512"), SIGNATURE),
    "no algorithm": (lambda: forged(HEADER), NOT_OURS),
    "a list of algorithms": (lambda: forged({**HEADER, "alg": ["RS256"]}), ALGORITHM),
    "a foreign key under our id": (lambda: forged(key=FOREIGN_KEY), SIGNATURE),
    "a foreign key under its own id": (
        lambda: forged({**WITHOUT_KID, "kid": signing_key(7).id}, key=FOREIGN_KEY),
        UNKNOWN_KEY,
    ),
    "a foreign key that comes along (jwk)": (lambda: forged(EMBEDDED, key=FOREIGN_KEY), NOT_OURS),
    "a foreign key at an address (jku)": (
        lambda: forged({"alg": "RS256", **HEADER, "jku": "https://evil.example/jwks"}, key=FOREIGN_KEY),
        NOT_OURS,
    ),
    "a foreign certificate at an address (x5u)": (
        lambda: forged({"alg": "RS256", **HEADER, "x5u": "https://evil.example/c"}, key=FOREIGN_KEY),
        NOT_OURS,
    ),
    "a foreign certificate (x5c)": (lambda: forged({"alg": "RS256", **HEADER, "x5c": ["MII"]}), NOT_OURS),
    "a critical extension": (lambda: forged({"alg": "RS256", **HEADER, "crit": ["exp"], "exp": 1}), NOT_OURS),
    "an unencoded payload": (lambda: forged({"alg": "RS256", **HEADER, "b64": False, "crit": ["b64"]}), NOT_OURS),
    "no key id": (lambda: forged(WITHOUT_KID), NOT_OURS),
    "a key id that is a path": (lambda: forged({**WITHOUT_KID, "kid": "../../dev/null"}), UNKNOWN_KEY),
    "a key id that is a list": (lambda: forged({**WITHOUT_KID, "kid": [KEY.id]}), MALFORMED),
    "a key id that is null": (lambda: forged({**WITHOUT_KID, "kid": None}), MALFORMED),
    "a key id with a lone surrogate": (
        lambda: forged(b'{"typ":"at+jwt","alg":"RS256","kid":"\\ud800"}'),
        MALFORMED,
    ),
    "an ID token's type": (lambda: forged({"alg": "RS256", "kid": KEY.id, "typ": "JWT"}), NOT_OURS),
    "no type": (lambda: forged({"alg": "RS256", "kid": KEY.id}), NOT_OURS),
    "a logout token's type": (lambda: forged({"alg": "RS256", "kid": KEY.id, "typ": "logout+jwt"}), NOT_OURS),
    "a member named twice in the header": (
        lambda: forged(f'{{"typ":"at+jwt","alg":"none","alg":"RS256","kid":"{KEY.id}"}}'.encode()),
        MALFORMED,
    ),
    "a member named twice in the claims": (
        lambda: forged(claims=b'{"sub":"user-2",' + json.dumps(CLAIMS).encode()[1:]),
        MALFORMED,
    ),
    "changed claims": (lambda: swapped(1, segment({**CLAIMS, "sub": "admin"})), SIGNATURE),
    "a cut signature": (lambda: forged()[:-2], SIGNATURE),
    "an empty signature": (lambda: swapped(2, ""), SIGNATURE),
    "another writing of the signature": (lambda: swapped(2, other_writing(forged().split(".")[2])), MALFORMED),
    "padding": (lambda: forged() + "=", MALFORMED),
    "the standard alphabet": (lambda: swapped(1, "a+/b"), MALFORMED),
    "nothing": (lambda: "", MALFORMED),
    "dots": (lambda: "..", MALFORMED),
    "two segments": (lambda: forged().rpartition(".")[0], MALFORMED),
    "four segments": (lambda: f"{forged()}.e30", MALFORMED),
    "five segments, as encrypted tokens have": (lambda: "e30.e30.e30.e30.e30", MALFORMED),
    "white space": (lambda: f" {forged()}", MALFORMED),
    "a new line": (lambda: f"{forged()}\n", MALFORMED),
    "no ASCII": (lambda: f"{forged()}é", MALFORMED),
    "a lone surrogate": (lambda: "\ud800", MALFORMED),
    "a header that is a list": (lambda: forged(b"[1]"), MALFORMED),
    "a header that is no JSON": (lambda: forged(b"{"), MALFORMED),
    "a header that is no UTF-8": (lambda: forged(b"\xff\xfe"), MALFORMED),
    "a header of very deep lists": (lambda: forged(b"[" * 5000, claims=b"{}"), MALFORMED),
    "a header with a very long number": (lambda: forged(b'{"alg":' + b"1" * 5000 + b"}", claims=b"{}"), MALFORMED),
    "claims of very deep lists": (lambda: forged(claims=b"[" * 5000), MALFORMED),
    "claims that are a list": (lambda: forged(claims=b"[1]"), MALFORMED),
    "claims that are no JSON": (lambda: forged(claims=b"{"), MALFORMED),
    "more than any token has": (lambda: "a" * (LONGEST + 1), MALFORMED),
}


def swapped(place: int, text: str) -> str:
    parts = forged().split(".")
    parts[place] = text
    return ".".join(parts)


def other_writing(text: str) -> str:
    """The same bytes in base64url, with another last character: its lowest bits carry nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]
    assert base64.urlsafe_b64decode(changed + "==") == base64.urlsafe_b64decode(text + "==")
    return changed


@pytest.mark.parametrize("name", FOREIGN)
async def test_14_a_jwt_with_a_foreign_algorithm_key_or_form_is_refused(tokens, name):
    make, reason = FOREIGN[name]
    assert await refusal(tokens, make()) == reason


@pytest.mark.parametrize(
    "issuer", ["https://evil.example", f"{ISSUER}/", ISSUER.upper(), "", None, [ISSUER], {"iss": ISSUER}]
)
async def test_14_a_jwt_with_a_foreign_issuer_is_refused(tokens, issuer):
    reason = await refusal(tokens, forged(claims={**CLAIMS, "iss": issuer}))
    assert reason in ("The access token is from another issuer.", KIND)


async def test_14_a_token_is_judged_for_the_issuer_of_this_request_even_if_it_was_good_for_another(tokens):
    token = await issue(tokens)
    await verify(tokens, token)
    with pytest.raises(InvalidTokenError, match="another issuer"):
        await verify(tokens, token, issuer="https://other.example")


@pytest.mark.parametrize(
    "audience",
    [
        "https://other.example/mcp",
        f"{ISSUER}/mcp/",
        f"{ISSUER}/other",
        "",
        None,
        [f"{ISSUER}/mcp"],
        [f"{ISSUER}/mcp", "https://other.example"],
    ],
)
async def test_06_a_token_for_another_resource_is_refused(tokens, audience):
    reason = await refusal(tokens, forged(claims={**CLAIMS, "aud": audience}))
    assert reason in ("The access token is for another resource.", KIND)


KIND = "The access token lacks a claim, or has one of another kind."


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti"])
@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, "absent"])
async def test_a_claim_that_is_missing_or_of_another_kind_is_refused(tokens, name, value):
    claims = {key: member for key, member in CLAIMS.items() if key != name}
    assert await refusal(tokens, forged(claims=claims if value == "absent" else {**claims, name: value})) == KIND


@pytest.mark.parametrize("name", ["sub", "client_id", "jti", "gid"])
async def test_an_empty_claim_is_refused(tokens, name):
    assert await refusal(tokens, forged(claims={**CLAIMS, name: ""})) == KIND


@pytest.mark.parametrize(
    ("changes", "now", "reason"),
    [
        ({}, START + LIFETIME + LEEWAY - 1, None),
        ({}, START + LIFETIME + LEEWAY, "The access token has expired."),
        ({"exp": 0}, START, "The access token has expired."),
        ({"exp": -(10**30)}, START, "The access token has expired."),
        ({"iat": START + LEEWAY}, START, None),
        ({"iat": START + LEEWAY + 1}, START, "The access token is not valid yet."),
        ({"nbf": START + LEEWAY}, START, None),
        ({"nbf": START + LEEWAY + 1}, START, "The access token is not valid yet."),
        ({"nbf": "soon"}, START, KIND),
        ({"exp": float("inf")}, START, MALFORMED),
    ],
)
async def test_a_token_is_good_in_its_time_only_with_a_small_leeway(tokens, changes, now, reason):
    token = forged(claims={**CLAIMS, **changes})
    if reason is None:
        assert await verify(tokens, token, now)
    else:
        assert await refusal(tokens, token, now) == reason


async def test_a_token_that_was_verified_before_expires_all_the_same(tokens):
    token = await issue(tokens)
    await verify(tokens, token)
    assert await refusal(tokens, token, START + LIFETIME + LEEWAY) == "The access token has expired."


async def test_no_refusal_repeats_anything_of_the_token(tokens):
    for make, _ in FOREIGN.values():
        token = make()
        reason = await refusal(tokens, token)
        assert "evil" not in reason
        assert len(reason) < 100


@pytest.mark.parametrize("header", [{"alg": "RS256", **HEADER}, {"alg": "HS256", "typ": "at+jwt", "kid": "hs256"}])
async def test_14_where_a_secret_signs_no_rsa_key_does_and_no_public_key_is_a_secret(store, clock, header):
    await put_set(store, KEY)
    tokens = AccessTokens(make_keys(store, clock, hmac_secret=SECRET), secrets.token_bytes)
    assert await verify(tokens, await issue(tokens))
    assert await refusal(tokens, forged(header)) in (UNKNOWN_KEY, SIGNATURE)
    assert await refusal(tokens, forged({**header, "alg": "RS256", "kid": "hs256"})) == ALGORITHM


async def test_a_token_of_a_key_that_ended_is_refused_even_if_it_was_verified_before(store, clock):
    await put_set(store, KEY._replace(until=START + 100), signing_key(1))
    tokens = AccessTokens(make_keys(store, clock), secrets.token_bytes)
    assert await verify(tokens, forged())
    clock.advance(100)
    assert await refusal(tokens, forged(), clock()) == UNKNOWN_KEY


async def test_a_key_that_is_taken_out_of_the_set_takes_its_verified_tokens_along(store, clock, keys, tokens):
    await put_set(store, KEY, signing_key(1))
    assert await verify(tokens, forged())
    await put_set(store, signing_key(1))
    clock.advance(MAX_AGE)
    assert await refusal(tokens, forged(), clock()) == UNKNOWN_KEY


async def test_a_token_of_a_key_that_is_new_is_verified_at_once(store, clock, tmp_path, tokens):
    await verify(tokens, forged())
    clock.advance(PAUSE)
    await put_set(store, KEY, signing_key(1))
    new = forged({"alg": "RS256", "typ": "at+jwt", "kid": signing_key(1).id}, key=private_key(1))
    assert await verify(tokens, new)


async def test_a_store_that_never_answered_is_no_reason_to_call_a_token_bad(store, clock):
    await put_set(store, KEY)
    store.down = True
    tokens = AccessTokens(make_keys(store, clock), secrets.token_bytes)
    with pytest.raises(StoreUnavailableError):
        await verify(tokens, forged())


class CountingKeys(Keys):
    """Keys that tell how many signatures were verified."""

    count = 0

    def verifies(self, *args: Any) -> bool:
        self.count += 1
        return super().verifies(*args)


async def test_a_token_is_verified_once_as_long_as_there_is_room_to_remember_it(store, clock):
    keys = CountingKeys(store, folder=None, kms_key=None, hmac_secret=SECRET, access_token=60, clock=clock)
    tokens = AccessTokens(keys, secrets.token_bytes)
    token = await issue(tokens)
    for _ in range(100):
        await verify(tokens, token)
    assert keys.count == 1
    for _ in range(REMEMBERED):
        await verify(tokens, await issue(tokens))
    assert keys.count == 1 + REMEMBERED
    await verify(tokens, token)
    assert keys.count == 2 + REMEMBERED


async def test_a_bad_token_is_never_remembered_as_a_good_one(tokens):
    for _ in range(2):
        assert await refusal(tokens, forged(key=FOREIGN_KEY)) == SIGNATURE


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
def test_no_text_whatever_is_more_than_malformed(text):
    import anyio

    keys = make_keys(SqliteStore(":memory:"), hmac_secret=SECRET)
    anyio.run(refusal, AccessTokens(keys, secrets.token_bytes), text)


@settings(deadline=None, max_examples=200)
@given(
    header=st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "jwk"]), st.text(max_size=5) | st.none())
    | st.just({"alg": "HS256", "typ": "at+jwt", "kid": "hs256"}),
    claims=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(CLAIMS)), inner, max_size=9),
    ),
)
def test_no_signed_content_whatever_is_more_than_refused(header, claims):
    import anyio

    keys = make_keys(SqliteStore(":memory:"), hmac_secret=SECRET)
    token = forged(json.dumps(header).encode(), json.dumps(claims).encode(), key=SECRET, algorithm="HS256")
    anyio.run(refusal, AccessTokens(keys, secrets.token_bytes), token)
