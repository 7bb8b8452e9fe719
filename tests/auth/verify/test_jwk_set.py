"""Sets of keys as issuers publish them, and what is wrong with some of their keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.base64url import encode
from auth.verify.jwk_set import MOST_KEYS, published_keys
from tests.support.issuer import ec_key, jwk
from tests.support.oauth_keys import private_key

ALL = ("RS256", "PS256", "ES256")
GOOD = jwk(private_key(0), kid="good")
EC = jwk(ec_key(), kid="ec")


def kids(*keys, algorithms=ALL):
    return [key.kid for key in published_keys({"keys": list(keys)}, algorithms)]


@pytest.mark.parametrize(
    "bad",
    [
        lambda: None,
        list,
        lambda: "key",
        dict,
        lambda: {"kty": "RSA"},
        lambda: jwk(private_key(1), kty="EC"),
        lambda: jwk(private_key(1), kty="oct", k="c2VjcmV0"),
        lambda: {"kty": "oct", "k": "c2VjcmV0", "kid": "good"},
        lambda: jwk(private_key(1, 1024)),
        lambda: jwk(private_key(1), use="enc"),
        lambda: jwk(private_key(1), alg="RS512"),
        lambda: jwk(private_key(1), alg="RSA-OAEP"),
        lambda: jwk(private_key(1), key_ops=["encrypt"]),
        lambda: jwk(private_key(1), key_ops="verify"),
        lambda: jwk(private_key(1), kid=7),
        lambda: jwk(private_key(1), n="!"),
        lambda: jwk(private_key(1), n=""),
        lambda: jwk(private_key(1), n=7),
        lambda: jwk(private_key(1), e="AA"),
        lambda: jwk(private_key(1), e="Ag"),
        lambda: jwk(private_key(1), e=None),
        lambda: jwk(private_key(1), n="_" * 1400),
        lambda: jwk(private_key(1), d="AQAB"),
        lambda: jwk(ec_key(1), crv="P-384"),
        lambda: jwk(ec_key(1), x="AAAA"),
        lambda: jwk(ec_key(1), y=EC["x"]),
        lambda: jwk(ec_key(1), d="AQAB"),
        lambda: jwk(ec_key(1), alg="ES384"),
    ],
)
def test_one_bad_key_harms_no_other(bad):
    assert kids(bad(), GOOD, bad(), EC) == ["good", "ec"]


@pytest.mark.parametrize(
    "more", [{"alg": "RS256"}, {"use": None}, {"key_ops": ["verify"]}, {"x5c": ["MIIB"], "x5t": "x"}, {"kid": None}]
)
def test_a_key_may_say_less_or_more(more):
    assert kids(jwk(private_key(0), **more)) == [more.get("kid", "key-0")]


def test_a_key_is_for_the_algorithms_that_are_configured_and_that_it_fits():
    assert kids(GOOD, EC, algorithms=("RS256",)) == ["good"]
    assert kids(GOOD, EC, algorithms=("ES256",)) == ["ec"]
    (key,) = published_keys({"keys": [jwk(private_key(0), alg="PS256")]}, ALL)
    assert key.algorithms == ("PS256",)
    assert published_keys({"keys": [GOOD]}, ALL)[0].algorithms == ("RS256", "PS256")


def test_a_set_is_looked_at_up_to_its_hundredth_key():
    assert len(kids(*[GOOD] * (MOST_KEYS + 1))) == MOST_KEYS == 100
    assert kids(*[None] * MOST_KEYS, GOOD) == []


def test_an_empty_set_has_no_keys():
    assert kids() == []


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": "x"}, {"jwks": []}])
def test_what_is_no_set_is_refused(document):
    with pytest.raises(ValueError, match="no set of keys"):
        published_keys(document, ALL)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["RSA", "EC", "sig", "verify"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
NUMBERS = st.binary(max_size=300).map(encode)
JWK = st.fixed_dictionaries(
    {"kty": st.sampled_from(["RSA", "EC"])},
    optional={
        **dict.fromkeys(("n", "e", "x", "y"), NUMBERS | JSON),
        "crv": st.sampled_from(["P-256"]) | JSON,
        **dict.fromkeys(("kid", "use", "alg", "key_ops"), JSON),
    },
)


@given(JWK)
def test_nothing_in_a_key_keeps_the_others_from_being_read(key):
    assert kids(key, GOOD)[-1] == "good"
