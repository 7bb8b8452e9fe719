import base64
import json
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_asgi import LambdaAsgiError
from lambda_asgi.response import Head
from lambda_asgi.sources import FunctionUrl, HttpApi, LoadBalancer, RestApi, infer

from .events import function_url, http_api, load_balancer, rest_api

BUILDERS = [function_url, http_api, rest_api, load_balancer]


def scope(event: dict[str, Any], root_path: str = "") -> dict[str, Any]:
    source = infer(event)
    assert source is not None
    return source.request().scope(root_path)


@pytest.mark.parametrize(
    ("event", "source"),
    [
        (function_url(), FunctionUrl),
        (http_api(), HttpApi),
        (rest_api(), RestApi),
        (load_balancer(), LoadBalancer),
    ],
)
def test_each_source_is_known_by_its_event(event, source):
    assert type(infer(event)) is source


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        None,
        "warm",
        7,
        {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
        {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
        {"version": "2.0"},
        {"version": "2.0", "requestContext": {"http": None}},
        {"httpMethod": "GET"},
    ],
)
def test_what_is_not_http_has_no_source(event):
    assert infer(event) is None


@pytest.mark.parametrize(
    ("raw_path", "path"),
    [
        ("/", "/"),
        ("/a%2Fb", "/a/b"),
        ("/a%252Fb", "/a%2Fb"),
        ("/caf%C3%A9", "/café"),
        ("/broken%FF", "/broken\ufffd"),
        ("/100%", "/100%"),
    ],
)
def test_payload_2_path_is_decoded_once(raw_path, path):
    event = function_url(raw_path)
    event["requestContext"]["http"]["path"] = unquote(raw_path)
    assert scope(event)["raw_path"] == raw_path.encode()
    assert scope(event)["path"] == path


def test_a_payload_2_event_without_a_raw_path_uses_the_decoded_one():
    event = function_url("/a b")
    del event["rawPath"]
    assert scope(event)["raw_path"] == b"/a%20b"
    assert scope(event)["path"] == "/a b"


def test_a_rest_path_is_the_same_whether_the_gateway_decoded_it_or_not():
    assert scope(rest_api("/a b"))["raw_path"] == b"/a%20b"
    assert scope(rest_api("/a%20b"))["raw_path"] == b"/a%20b"
    assert scope(rest_api("/a b"))["path"] == "/a b"


def test_cookies_make_one_header():
    event = function_url(cookies=["a=1", "b=2"])
    event["headers"]["cookie"] = "a=1; b=2"
    assert [value for name, value in scope(event)["headers"] if name == b"cookie"] == [b"a=1; b=2"]


def test_header_names_are_lower_case_and_values_latin_1():
    headers = scope(function_url(headers={"X-Name": "caf\xe9", "X-Wide": "→"}))["headers"]
    assert headers == [(b"x-name", b"caf\xe9"), (b"x-wide", "→".encode())]


def test_repeated_rest_headers_stay_apart():
    headers = scope(rest_api(multiValueHeaders={"Accept": ["a", "b"]}))["headers"]
    assert headers == [(b"accept", b"a"), (b"accept", b"b")]


@pytest.mark.parametrize("text", [None, ""])
def test_no_query_is_an_empty_one(text):
    assert scope(function_url(rawQueryString=text))["query_string"] == b""


def test_rest_query_is_encoded_and_keeps_repetition():
    event = rest_api(multiValueQueryStringParameters={"a": ["1 2", "&"], "é": ["="]})
    assert scope(event)["query_string"] == b"a=1+2&a=%26&%C3%A9=%3D"


def test_load_balancer_query_is_passed_on_as_it_was_sent():
    assert scope(load_balancer(queryStringParameters={"a": "1%202"}))["query_string"] == b"a=1%202"


@pytest.mark.parametrize("build", BUILDERS)
def test_the_client_is_who_the_service_itself_saw(build):
    assert scope(build())["client"] == ("203.0.113.7", 0)


@pytest.mark.parametrize(
    ("event", "scheme", "server"),
    [
        (function_url(), "https", ("abc.lambda-url.eu-west-1.on.aws", 443)),
        (load_balancer(), "http", ("lb.example", 443)),
        (function_url(headers={"host": "localhost:9", "x-forwarded-port": "9"}), "https", ("localhost", 9)),
        (function_url(headers={"host": "[::1]:9", "x-forwarded-port": "9"}), "https", ("::1", 9)),
        (function_url(headers={"x-forwarded-port": "no"}), "https", ("localhost", 443)),
    ],
)
def test_scheme_and_server_come_from_the_front(event, scheme, server):
    assert scope(event)["scheme"] == scheme
    assert scope(event)["server"] == server


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/tools", "/prod/tools"), ("/prod/tools", "/prod/tools"), ("/prod", "/prod"), ("/products", "/prod/products")],
)
def test_the_root_path_is_part_of_the_path_exactly_once(path, expected):
    seen = scope(rest_api(path), root_path="/prod")
    assert (seen["root_path"], seen["path"], seen["raw_path"]) == ("/prod", expected, expected.encode())


@pytest.mark.parametrize("build", BUILDERS)
@given(data=st.binary())
def test_a_base64_body_comes_out_as_it_went_in(build, data):
    source = infer(build(body=base64.b64encode(data).decode(), isBase64Encoded=True))
    assert source is not None
    assert source.request().body == data


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("body", [{"a": 1}, 7, "\ud800"])
def test_a_body_that_is_no_text_is_refused(build, body):
    source = infer(build(body=body))
    assert source is not None
    with pytest.raises(LambdaAsgiError, match="body"):
        source.request()


def test_a_body_that_is_not_the_base64_it_is_said_to_be_is_refused():
    source = infer(function_url(body="a", isBase64Encoded=True))
    assert source is not None
    with pytest.raises(LambdaAsgiError, match="not what the event says"):
        source.request()


segments = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=3)


@given(segments=segments, query=st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.just("v"))))
def test_any_path_and_query_survive_payload_2(segments, query):
    raw_path = "/" + "/".join(quote(segment, safe="") for segment in segments)
    raw_query = "&".join(f"{quote(name, safe='')}={value}" for name, value in query)
    seen = scope(function_url(raw_path, rawQueryString=raw_query))
    assert seen["raw_path"] == raw_path.encode()
    assert seen["path"] == "/" + "/".join(segments)
    assert parse_qsl(seen["query_string"].decode(), keep_blank_values=True) == query


@given(
    pairs=st.dictionaries(st.from_regex(r"[a-z][a-z-]{0,9}", fullmatch=True), st.text(st.characters(max_codepoint=255)))
)
def test_any_latin_1_headers_survive_payload_2(pairs):
    headers = scope(function_url(headers=pairs))["headers"]
    assert {name.decode(): value.decode("latin-1") for name, value in headers} == pairs


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted(set(function_url()) | set(rest_api()) | {"cookies", "body"})


@given(
    base=st.sampled_from([*BUILDERS, dict]),
    changes=st.dictionaries(st.sampled_from(FIELDS) | st.text(), json_values, max_size=5),
)
def test_no_event_is_a_crash(base, changes):
    """Every event has a source with a whole scope, or has none, or is refused with the package's own error."""
    source = infer({**base(), **changes})
    if source is None:
        return
    try:
        seen = source.request().scope("/root")
    except LambdaAsgiError:
        return
    assert seen["path"].startswith("/root/")
    assert isinstance(seen["raw_path"], bytes)
    assert all(name == name.lower() for name, _ in seen["headers"])


HEAD = Head(200, (("content-type", "text/plain"), ("vary", "a"), ("vary", "b")), ("x=1", "y=2"))


def encoded(event: dict[str, Any], body: bytes = b"hi") -> dict[str, Any]:
    source = infer(event)
    assert source is not None
    document: dict[str, Any] = json.loads(json.dumps(source.encode(HEAD, body)))
    return document


@pytest.mark.parametrize("build", [function_url, http_api])
def test_payload_2_answers_with_cookies_apart(build):
    assert encoded(build()) == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain", "vary": "a, b"},
        "cookies": ["x=1", "y=2"],
        "body": "hi",
        "isBase64Encoded": False,
    }


def test_payload_1_answers_with_lists():
    assert encoded(rest_api()) == {
        "statusCode": 200,
        "multiValueHeaders": {"content-type": ["text/plain"], "vary": ["a", "b"], "set-cookie": ["x=1", "y=2"]},
        "body": "hi",
        "isBase64Encoded": False,
    }


def test_a_load_balancer_gets_lists_where_it_sent_lists():
    document = encoded(load_balancer(multiValueHeaders={"host": ["lb.example"]}))
    assert document["multiValueHeaders"]["set-cookie"] == ["x=1", "y=2"]
    assert document["statusDescription"] == "200 OK"
    assert "headers" not in document


def test_a_load_balancer_without_lists_still_gets_every_cookie():
    many = Head(299, (), tuple(f"c{number}=1" for number in range(20)))
    source = infer(load_balancer())
    assert source is not None
    document = source.encode(many, b"")
    sent = [value for name, value in document["headers"].items() if name.lower() == "set-cookie"]
    assert sorted(sent) == sorted(many.cookies)
    assert document["statusDescription"] == "299"


@pytest.mark.parametrize("build", BUILDERS)
@given(body=st.binary())
def test_any_body_survives_any_document(build, body):
    document = encoded(build(), body)
    text = document["body"]
    assert (base64.b64decode(text) if document["isBase64Encoded"] else text.encode()) == body
