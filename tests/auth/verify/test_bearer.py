"""Where a request carries its token, and where it must not (RFC 6750)."""

import pytest

from auth.verify.authenticator import RefusedError
from auth.verify.bearer import bearer_token


def scope(*authorization: str, query: str = "") -> dict[str, object]:
    headers = [(b"host", b"mcp.example"), *((b"authorization", value.encode("latin-1")) for value in authorization)]
    return {"type": "http", "headers": headers, "query_string": query.encode("latin-1")}


@pytest.mark.parametrize(
    "value", ["Bearer abc", "bearer abc", "BEARER abc", "Bearer  abc", " Bearer abc ", "bEaReR abc"]
)
def test_the_scheme_is_read_in_any_case(value):
    assert bearer_token(scope(value)) == "abc"


def test_a_token_may_be_anything_and_is_judged_elsewhere():
    assert bearer_token(scope("Bearer a b, c=é")) == "a b, c=é"


@pytest.mark.parametrize(
    "values",
    [(), ("",), ("Basic YTpi",), ("AWS4-HMAC-SHA256 x",), ("Bearerabc",), ("Bearer:abc",), ("abc",)],
)
def test_a_request_without_a_bearer_token_is_asked_to_sign_in_and_blamed_for_nothing(values):
    with pytest.raises(RefusedError) as raised:
        bearer_token(scope(*values))
    assert (raised.value.error, raised.value.status) == (None, 401)


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "bearer    "])
def test_an_empty_token_is_an_invalid_one(value):
    with pytest.raises(RefusedError) as raised:
        bearer_token(scope(value))
    assert (raised.value.error, raised.value.status) == ("invalid_token", 401)


@pytest.mark.parametrize("values", [("Bearer abc", "Bearer abc"), ("Bearer abc", "Basic YTpi")])
def test_two_authorization_headers_are_an_invalid_request(values):
    with pytest.raises(RefusedError) as raised:
        bearer_token(scope(*values))
    assert (raised.value.error, raised.value.status) == ("invalid_request", 400)


@pytest.mark.parametrize(
    "query",
    [
        "access_token=abc",
        "a=b&access_token=abc",
        "access_token",
        "access_token=",
        "acc%65ss_token=abc",
        "Access_Token=abc",
        "token=abc",
        "&&token=abc",
        "&".join(f"p{number}=1" for number in range(200)) + "&access_token=abc",
    ],
)
@pytest.mark.parametrize("values", [(), ("Bearer abc",)])
def test_a_token_in_the_url_is_refused_whatever_else_there_is(query, values):
    with pytest.raises(RefusedError) as raised:
        bearer_token(scope(*values, query=query))
    assert (raised.value.error, raised.value.status) == ("invalid_request", 400)
    assert "abc" not in raised.value.description


@pytest.mark.parametrize("query", ["", "a=b", "tokens=abc", "x=access_token", "q=token", "%FF=%FF", "=", "é=1"])
def test_other_parameters_are_none_of_its_business(query):
    assert bearer_token(scope("Bearer abc", query=query)) == "abc"
