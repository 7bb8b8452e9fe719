import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_app.tools.context import RequestInfo
from mcp_app.tools.display import HIDDEN, printable, shown_header
from tests.support.calls import call, idle_clients, text_of


@pytest.mark.anyio
async def test_the_text_has_the_documented_layout() -> None:
    request = RequestInfo(
        path="/mcp/v1/messages",
        headers=(
            ("host", "mcpx.lol"),
            ("user-agent", "Mozilla/5.0..."),
            ("accept", "application/json"),
            ("x-forwarded-for", "203.0.113.42"),
        ),
        client="10.0.0.1",
    )
    assert text_of(await call("get_request_info", {}, idle_clients(), request=request)) == (
        "Request Information:\n\nHeaders:\n  Host: mcpx.lol\n  User-Agent: Mozilla/5.0...\n  Accept: application/json\n"
        "  X-Forwarded-For: 203.0.113.42\n\nConnection:\n  Source IP: 203.0.113.42\n  Protocol: HTTP/1.1\n"
        "  Method: POST\n  Path: /mcp/v1/messages"
    )


@pytest.mark.anyio
async def test_the_structured_result_tells_more() -> None:
    request = RequestInfo(
        method="POST",
        path="/mcp",
        headers=(("X-Forwarded-For", "203.0.113.42, 10.1.1.1"), ("user-agent", "probe/1"), ("Accept", "*/*")),
        client="10.0.0.1",
        http_version="2",
    )
    outcome = await call("get_request_info", {}, idle_clients(), request=request)
    assert outcome.structured == {
        "headers": [
            {"name": "X-Forwarded-For", "value": "203.0.113.42, 10.1.1.1"},
            {"name": "user-agent", "value": "probe/1"},
            {"name": "Accept", "value": "*/*"},
        ],
        "method": "POST",
        "path": "/mcp",
        "scheme": "https",
        "protocol": "HTTP/2",
        "source_ip": "203.0.113.42",
        "source": "x-forwarded-for",
        "behind_proxy": True,
        "forwarded_for": ["203.0.113.42", "10.1.1.1"],
        "connection": "10.0.0.1",
        "user_agent": "probe/1",
    }


@pytest.mark.anyio
async def test_a_request_without_headers_is_told_too() -> None:
    outcome = await call("get_request_info", {}, idle_clients(), request=RequestInfo())
    assert "Headers:\n  (none)\n" in text_of(outcome)


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", "Bearer abc"),
        ("Proxy-Authorization", "Basic abc"),
        ("cookie", "a=b"),
        ("set-cookie", "a=b"),
        ("x-amz-security-token", "abc"),
        ("x-api-key", "abc"),
        ("api_key", "abc"),
        ("x-client-secret", "abc"),
        ("X-Password", "abc"),
        ("mcp-session-id", "abc"),
        ("x-amzn-oidc-data", "abc"),
        ("x-forwarded-access-token", "abc"),
        ("x-unsuspected", "Bearer abc"),
        ("x-unsuspected", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"),
    ],
)
@pytest.mark.anyio
async def test_secrets_are_hidden(header: tuple[str, str]) -> None:
    request = RequestInfo(headers=(header, ("x-last", "seen")))
    outcome = await call("get_request_info", {}, idle_clients(), request=request)
    assert outcome.structured is not None
    assert outcome.structured["headers"][0] == {"name": header[0], "value": HIDDEN}
    assert outcome.structured["headers"][1] == {"name": "x-last", "value": "seen"}
    assert header[1] not in text_of(outcome)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("https://a.example/?token=abc&x=1", "https://a.example/?token=[hidden]&x=1"),
        ("https://a.example/cb?x=1&code=abc&state=s", "https://a.example/cb?x=1&code=[hidden]&state=[hidden]"),
        ("https://a.example/?X-Amz-Signature=ff", "https://a.example/?X-Amz-Signature=[hidden]"),
        ("https://a.example/?page=2", "https://a.example/?page=2"),
    ],
)
def test_secrets_in_addresses_are_hidden(value: str, shown: str) -> None:
    assert shown_header("referer", value) == ("referer", shown)


@pytest.mark.parametrize("name", ["accept", "host", "user-agent", "x-request-id", "x-forwarded-proto", "content-type"])
def test_common_headers_are_shown(name: str) -> None:
    assert shown_header(name, "plain value") == (name, "plain value")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nSet-Cookie: x", r"a\r\nSet-Cookie: x"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\x00b\x7fc\x9bd", r"a\x00b\x7fc\x9bd"),
        ("abc\u202etxt", r"abc\u202etxt"),
        ("a\u2028b", r"a\u2028b"),
        ("größe 🦀", "größe 🦀"),
    ],
)
def test_control_characters_are_spelled_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_nothing_shown_can_steer_a_terminal_or_start_a_line(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(char)[0] == "C" or char in "\u2028\u2029" for char in shown)
    assert printable(shown) == shown


@pytest.mark.parametrize("part", ["?", "?key", "?keykey=", "eyJa-", ";sig", "key"])
def test_no_header_can_keep_the_server_busy(part: str) -> None:
    value = part * 10_000
    began = time.process_time()
    assert shown_header("referer", value)
    assert time.process_time() - began < 2  # seconds; it was hours while a part was tried from every place


@given(st.text(min_size=8), st.sampled_from(["authorization", "X-Api-Key", "cookie", "my-token", "a-secret-b"]))
def test_no_value_of_a_secret_header_survives(value: str, name: str) -> None:
    assert shown_header(name, value)[1] == HIDDEN
