"""schemathesis over the OAuth endpoints of a real server: nothing gives a 5xx or a reply that breaks our own schema.

Every run draws the same examples: what it found once, it finds again.
"""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from auth.server.openapi import openapi_document
from tests.fuzz.world import World, world

pytestmark = pytest.mark.fuzz

EXAMPLES = 60
"""Of each operation, by each way."""

LONGEST_URL = 60_000
"""Characters; the HTTP parser refuses a head above 64 KiB in words of its own, before the server sees it."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

SCHEMA = schemathesis.openapi.from_dict(openapi_document("http://127.0.0.1", jwks=True, registration=True))
OURS = [result.ok() for result in SCHEMA.get_all_operations()]
OPERATIONS = {each.label: each for each in OURS if "oauth-protected-resource" not in each.path}
"""All but the documents of the MCP server, which is not part of this one."""


def takes_something(operation: APIOperation) -> bool:
    definition = SCHEMA.raw_schema["paths"][operation.path][operation.method.lower()]
    return "requestBody" in definition or bool(definition.get("parameters"))


FORM = "application/x-www-form-urlencoded"
KINDS = (
    "code",
    "refresh",
    "credentials",
    "revoke",
    "introspect",
    "userinfo",
    "authorize",
    "authorize by form",
    "consent",
    "sign in",
    "sign out",
    "disconnect",
    "password",
)

FORMS = sorted(label for label, each in OPERATIONS.items() if each.method.upper() == "POST" and "userinfo" not in label)

BUDGET = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("fuzz")) as made:
        yield made


def sent(server: World, case: Case) -> None:
    """Send a request and hold its reply against the schema."""
    response = case.call(base_url=server.url, session=server.session, allow_redirects=False)
    reaches_us = len(response.request.url or "") < LONGEST_URL
    case.validate_response(response, checks=CHECKS if reaches_us else [not_a_server_error])


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_requests_as_the_schema_describes_them(server: World, label: str) -> None:
    check(server, OPERATIONS[label].as_strategy(generation_mode=GenerationMode.POSITIVE))


@pytest.mark.parametrize("label", sorted(label for label, each in OPERATIONS.items() if takes_something(each)))
def test_requests_that_the_schema_rules_out(server: World, label: str) -> None:
    check(server, OPERATIONS[label].as_strategy(generation_mode=GenerationMode.NEGATIVE))


def check(server: World, strategy: st.SearchStrategy[Case]) -> None:
    @given(case=strategy)
    @BUDGET
    def one(case: Case) -> None:
        sent(server, case)

    one()


def mutated(values: dict[str, str]) -> st.SearchStrategy[dict[str, str]]:
    """A good form with up to two of its fields changed, left out or added."""
    names = st.sampled_from(sorted(values))
    junk = st.one_of(
        st.text(max_size=40), st.sampled_from(["", "\0", "a" * 9000, "%", "http://[", "é", "-1", "mcp.read"])
    )
    changes = st.dictionaries(names, st.one_of(st.none(), junk), max_size=2)
    return changes.map(lambda changed: {name: value for name, value in (values | changed).items() if value is not None})


@pytest.mark.parametrize("kind", KINDS)
def test_good_requests_with_a_field_or_two_changed(server: World, kind: str) -> None:
    label, make = server.good[kind]
    operation = OPERATIONS[label]

    @given(data=st.data())
    @BUDGET
    def check(data: st.DataObject) -> None:
        headers, values = make()
        changed = data.draw(mutated(values))
        if operation.method.upper() == "GET":
            sent(server, operation.Case(query=changed, headers=headers))
        else:
            sent(server, operation.Case(media_type=FORM, body=changed, headers=headers))

    check()


def bodies() -> st.SearchStrategy[bytes]:
    """What no client would send: any bytes, broken percent signs, many fields, deep JSON."""
    return st.one_of(
        st.binary(max_size=200),
        st.text(max_size=100).map(str.encode),
        st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=120).map(urlencode).map(str.encode),
        st.sampled_from(
            [b"a=" + b"b" * 70_000, b"[" * 20_000, b'{"a":' * 5_000, b"%", b"=&=&=", b"\xff=\xfe", b"a=%ff"]
        ),
    )


TYPES = st.sampled_from([FORM, "application/json", "text/plain", "", "a", "multipart/form-data", "/;=\xff"])
AUTHORIZATIONS = st.one_of(
    st.none(),
    st.sampled_from(["Basic", "Basic ", "Basic !", "Basic Og==", "Basic /w==", "Bearer", "Bearer a b", "Digest x"]),
    st.binary(max_size=60).map(lambda junk: "Basic " + junk.hex()),
    st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=60),
)


@pytest.mark.parametrize("label", FORMS)
def test_any_bytes_of_any_type_from_anybody(server: World, label: str) -> None:
    operation: APIOperation = OPERATIONS[label]

    @given(body=bodies(), content_type=TYPES, authorization=AUTHORIZATIONS)
    @BUDGET
    def check(body: bytes, content_type: str, authorization: str | None) -> None:
        reply = server.post(operation.path, body, content_type, authorization)
        operation.Case().validate_response(reply, checks=CHECKS)

    check()
