import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_app.transport.envelope import Envelope, EnvelopeError, read_envelope
from mcp_app.transport.negotiation import Accepts, accepts, is_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.sampled_from(["2.0", "1.0"]) | VALUES,
        "id": VALUES,
        "method": st.sampled_from(["tools/call", "ping"]) | VALUES,
        "params": VALUES,
        "result": VALUES,
        "error": VALUES,
    },
)


def outcome(body):
    """The message that a body holds, or what it is refused with."""
    try:
        return read_envelope(body)
    except EnvelopeError as error:
        return error


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_message_or_a_refusal(body):
    found = outcome(body)
    assert isinstance(found, Envelope) or found.code in (-32700, -32600)


@given(MEMBERS)
def test_any_object_is_a_message_or_a_refusal_that_echoes_its_id(message):
    sent_id = message.get("id")
    echoed = sent_id if isinstance(sent_id, str | int) and not isinstance(sent_id, bool) else None
    found = outcome(json.dumps(message).encode())
    if isinstance(found, EnvelopeError):
        assert found.request_id == (echoed if found.code == -32600 else None)
    elif found.method is not None:
        assert found.message["jsonrpc"] == "2.0"
        assert found.request_id == message.get("id")
        assert isinstance(found.meta, dict)
    else:
        assert "result" in message or "error" in message


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], Accepts(json=True, sse=False)),
        ([b"*/*"], Accepts(json=True, sse=True)),
        ([b"application/json", b"text/event-stream"], Accepts(json=True, sse=True)),
        ([b"TEXT/*;q=0.1 , application/*"], Accepts(json=True, sse=True)),
        ([b"application/json;q=0"], Accepts(json=False, sse=False)),
        ([b"application/json; q=0.000, */*;q=0.0"], Accepts(json=False, sse=False)),
        ([b"application/jsonp, text/plain"], Accepts(json=False, sse=False)),
        ([b""], Accepts(json=False, sse=False)),
    ],
)
def test_accept(sent, expected):
    assert accepts([(b"accept", value) for value in sent]) == expected


@given(st.lists(st.binary()))
def test_any_accept_header_is_read(sent):
    assert isinstance(accepts([(b"accept", value) for value in sent]), Accepts)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], False),
        ([(b"content-type", b"application/json")], True),
        ([(b"content-type", b" Application/Json ; charset=utf-8")], True),
        ([(b"content-type", b"application/json, text/plain")], False),
    ],
)
def test_content_type(headers, expected):
    assert is_json(headers) is expected
