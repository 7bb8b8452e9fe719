import json
import logging

import pytest

from mcp_app.app import create_app
from mcp_app.settings import Settings
from tests.support.mcp_messages import (
    BOTH_FORMS,
    CAPABILITIES_KEY,
    ERAS,
    LEGACY,
    MODERN,
    VERSION_KEY,
    call,
    error,
    headers,
    message,
    post,
)
from tests.support.mcp_tools import REGISTRY, SECRET_INSIDE
from tests.support.serve import connected

SETTINGS = Settings(auth_mode="noauth", log_level="CRITICAL", max_body_bytes=20_000, tool_timeout_seconds=60)


@pytest.fixture(scope="module")
def client():
    with connected(create_app(SETTINGS, REGISTRY)) as client:
        yield client


def send(client, body, *, era=MODERN, **changed):
    return client.post("/mcp", json=body, headers=headers(body, era=era, **changed))


ECHO = {"name": "echo", "arguments": {"message": "hi"}}


@pytest.mark.parametrize("era", ERAS)
def test_a_call_is_answered_in_plain_json(client, era):
    response = call(client, "echo", {"message": "hi"}, era=era)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    result = response.json()["result"]
    assert result["content"] == [{"type": "text", "text": "hi"}]
    assert result["structuredContent"] == {"message": "hi"}
    assert result["isError"] is False


def test_the_root_is_an_alias(client):
    body = message("tools/call", ECHO)
    assert client.post("/", json=body, headers=headers(body)).json()["result"]["content"][0]["text"] == "hi"


def test_without_a_version_header_a_request_is_of_the_handshake_era(client):
    response = send(client, message("tools/call", ECHO, era=LEGACY), era=LEGACY, mcp_protocol_version=None)
    assert "resultType" not in response.json()["result"]
    assert response.json()["result"]["content"][0]["text"] == "hi"


@pytest.mark.parametrize("era", ERAS)
def test_a_notification_is_taken_without_a_body(client, era):
    body = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    response = client.post("/mcp", json=body, headers={"accept": BOTH_FORMS, "mcp-protocol-version": era})
    assert (response.status_code, response.content) == (202, b"")


@pytest.mark.parametrize(
    "changed",
    [
        {"mcp_protocol_version": None},
        {"mcp_protocol_version": LEGACY},
        {"mcp_protocol_version": "2027-01-01"},
        {"mcp_method": None},
        {"mcp_method": "tools/list"},
        {"mcp_name": None},
        {"mcp_name": "broken"},
        {"mcp_name": "=?base64?!!!?="},
    ],
)
def test_a_header_missing_or_unlike_the_body_is_a_mismatch(client, changed):
    assert error(send(client, message("tools/call", ECHO), **changed)) == (400, -32020, 7)


@pytest.mark.parametrize("mirror", [None, "us", "=?base64?!!!?="])
def test_a_mirrored_argument_must_equal_its_header(client, mirror):
    body = message("tools/call", {"name": "mirrored", "arguments": {"region": "eu"}})
    assert error(send(client, body, mcp_param_region=mirror)) == (400, -32020, 7)
    assert send(client, body, mcp_param_region="eu").status_code == 200


@pytest.mark.parametrize("missing", [VERSION_KEY, CAPABILITIES_KEY])
def test_required_meta_that_is_missing_is_a_bad_parameter(client, missing):
    body = message("tools/call", ECHO)
    del body["params"]["_meta"][missing]
    assert error(send(client, body)) == (400, -32602, 7)


@pytest.mark.parametrize("meta", [None, "text", {VERSION_KEY: MODERN, CAPABILITIES_KEY: "text"}])
def test_wrong_meta_is_a_bad_parameter(client, meta):
    body = message("tools/call", ECHO)
    body["params"]["_meta"] = meta
    assert error(send(client, body)) == (400, -32602, 7)


def test_a_capability_that_the_client_lacks_is_named(client):
    response = call(client, "asking")
    assert error(response) == (400, -32021, 7)
    assert response.json()["error"]["data"] == {"requiredCapabilities": {"elicitation": {}}}


def test_an_unsupported_version_is_told_the_supported_ones(client):
    body = message("tools/list", **{VERSION_KEY: "2099-01-01"})
    response = send(client, body, mcp_protocol_version="2099-01-01")
    assert error(response) == (400, -32022, 7)
    assert response.json()["error"]["data"] == {"supported": [MODERN], "requested": "2099-01-01"}


@pytest.mark.parametrize("method", ["no/such", "initialize", "ping", "logging/setLevel", "resources/subscribe"])
def test_a_method_unknown_or_removed_is_not_found(client, method):
    assert error(post(client, method)) == (404, -32601, 7)


@pytest.mark.parametrize("accept", ["application/json", BOTH_FORMS])
def test_subscriptions_are_not_served(client, accept):
    body = message("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
    assert error(send(client, body, accept=accept)) == (404, -32601, 7)


@pytest.mark.parametrize("method", ["no/such", "prompts/list", "resources/list", "completion/complete"])
def test_a_method_that_nothing_serves_is_not_found_in_the_handshake_era(client, method):
    params = {"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "x", "value": ""}}
    response = post(client, method, params if method.startswith("completion") else {}, era=LEGACY)
    assert error(response)[1:] == (-32601, 7)


@pytest.mark.parametrize("path", ["/mcp"])
@pytest.mark.parametrize("verb", ["GET", "DELETE", "PUT", "PATCH"])
def test_only_post_is_allowed(client, verb, path):
    response = client.request(verb, path, headers={"accept": "text/event-stream"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large_is_refused(client, era, chunked):
    body = json.dumps(message("tools/call", {"name": "echo", "arguments": {"message": "x" * 20_000}}, era=era)).encode()
    sent = iter([body[:100], body[100:]]) if chunked else body
    given = {"content-type": "application/json", "accept": BOTH_FORMS, "mcp-protocol-version": era}
    response = client.post("/mcp", content=sent, headers=given)
    assert error(response) == (413, -32600, None)


@pytest.mark.parametrize(("era", "status"), [(MODERN, 400), (LEGACY, 200)])
def test_an_unknown_tool_is_a_bad_parameter(client, era, status):
    response = call(client, "nope", era=era)
    assert error(response) == (status, -32602, 7)
    assert response.json()["error"]["message"] == "Unknown tool: nope"


def test_an_unknown_name_is_not_told_again_at_any_length(client):
    response = call(client, "n" * 10_000, era=LEGACY)
    assert response.json()["error"]["message"] == f"Unknown tool: {'n' * 128}"


@pytest.mark.parametrize("era", ERAS)
def test_a_user_token_beside_meta_that_is_none_is_a_bad_parameter(client, era):
    body = message("tools/call", {**ECHO, "useUserToken": True}, era=era)
    body["params"]["_meta"] = 5
    assert error(send(client, body, era=era))[1:] == (-32602, 7)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("echo", {}, "message is required."),
        ("echo", {"message": 5}, "message should be a valid string."),
        ("echo", {"message": "a", "extra": 1}, "extra is not known here; allowed: message."),
        ("echo", "not json", "The arguments must be a JSON object; this text is not JSON."),
        ("echo", '{"message": "\\ud800"}', "The arguments must be a JSON object; this text is not JSON."),
        ("echo", '{"message": NaN}', "The arguments must be a JSON object; this text is not JSON."),
        ("echo", [1, 2], "The arguments must be a JSON object."),
        ("refusing", {}, "The moon is not in the right phase. Try again tomorrow."),
        ("broken", {}, "Broken failed for an internal reason. It has been logged."),
    ],
)
def test_what_a_caller_or_a_tool_did_wrong_is_a_result(client, era, tool, arguments, text):
    response = call(client, tool, arguments, era=era)
    assert response.status_code == 200
    assert response.json()["result"]["isError"] is True
    assert response.json()["result"]["content"] == [{"type": "text", "text": text}]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "arguments",
    [
        '{"message": "hi"}',
        {"params": {"message": "hi"}},
        {"arguments": {"message": "hi"}},
        '{"params":{"message":"hi"}}',
    ],
)
def test_arguments_as_text_or_wrapped_are_taken(client, era, arguments):
    assert call(client, "echo", arguments, era=era).json()["result"]["structuredContent"] == {"message": "hi"}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("body", "code", "echoed"),
    [
        (b"{", -32700, None),
        (b"", -32700, None),
        (b"\xff\xfe{}", -32700, None),
        (b'{"jsonrpc":"2.0","id":NaN}', -32700, None),
        (b"[" * 100_00, -32700, None),
        (
            b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"message":"\\ud800"}}}',
            -32700,
            None,
        ),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":"\xed\xa0\x80"}}', -32700, None),
        ('{"jsonrpc":"2.0","id":7,"method":"ping"}'.encode("utf-8-sig"), -32700, None),
        ('{"jsonrpc":"2.0","id":7,"method":"ping"}'.encode("utf-16"), -32700, None),
        ('{"jsonrpc":"2.0","id":7,"method":"ping"}'.encode("utf-32-le"), -32700, None),
        (b'[{"jsonrpc":"2.0","id":7,"method":"ping"}]', -32600, None),
        (b"[]", -32600, None),
        (b'"text"', -32600, None),
        (b"null", -32600, None),
        (b"{}", -32600, None),
        (b'{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":[7],"method":"ping"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600, None),
        (b'{"jsonrpc":"1.0","id":7,"method":"ping"}', -32600, 7),
        (b'{"id":"seven","method":"ping"}', -32600, "seven"),
        (b'{"jsonrpc":"2.0","id":7}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":5}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":"x"}', -32600, 7),
    ],
)
def test_what_is_not_one_message_is_refused(client, era, body, code, echoed):
    given = {"content-type": "application/json", "accept": BOTH_FORMS, "mcp-protocol-version": era}
    response = client.post("/mcp", content=body, headers=given)
    assert error(response) == (400, code, echoed)
    assert "pydantic" not in response.text


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("depth", "status"), [(90, 200), (110, 400), (900, 400)])
def test_nesting_has_an_end(client, era, depth, status):
    deep = json.loads("[" * depth + "]" * depth)
    response = call(client, "echo", {"message": deep}, era=era)
    assert response.status_code == status
    assert (status == 200) or response.json()["error"]["code"] == -32700


def test_a_batch_is_told_why(client):
    response = client.post("/mcp", json=[message("ping")], headers={"accept": BOTH_FORMS})
    assert response.json()["error"]["message"] == "JSON-RPC batches are not supported: send one message per request."


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
def test_a_body_that_does_not_claim_to_be_json_is_refused(client, era, content_type):
    response = send(client, message("tools/call", ECHO, era=era), era=era, content_type=content_type)
    assert error(response) == (415, -32600, None)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"]
)
def test_json_may_carry_parameters(client, content_type):
    assert send(client, message("tools/call", ECHO), content_type=content_type).status_code == 200


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/*", 200),
        ("*/*", 200),
        (BOTH_FORMS, 200),
        ("text/event-stream, application/json;q=0.5", 200),
        ("text/event-stream", 406),
        ("text/html", 406),
        ("application/json;q=0, text/event-stream", 406),
    ],
)
def test_a_client_must_accept_json(client, era, accept, status):
    response = send(client, message("tools/call", ECHO, era=era), era=era, accept=accept)
    assert response.status_code == status
    if status == 406:
        assert error(response) == (406, -32600, None)


@pytest.mark.parametrize("era", ERAS)
def test_a_client_that_says_nothing_gets_json(client, era):
    body = message("tools/call", {"name": "working", "arguments": {}}, era=era, progressToken=1)
    request = client.build_request("POST", "/mcp", json=body, headers=headers(body, era=era))
    del request.headers["accept"]
    response = client.send(request)
    assert response.headers["content-type"] == "application/json"
    assert response.json()["result"]["content"][0]["text"] == "worked"


CLIENT_INFO = {"name": "test", "version": "1"}


@pytest.mark.parametrize(
    ("asked", "header", "given"),
    [
        ("2025-11-25", None, "2025-11-25"),
        ("2025-06-18", "2025-06-18", "2025-06-18"),
        ("2025-03-26", None, "2025-03-26"),
        ("2024-11-05", None, "2024-11-05"),
        ("2025-01-01", None, "2025-11-25"),
        ("2025-01-01", "2025-01-01", "2025-11-25"),
        ("2026-07-28", None, "2025-11-25"),
    ],
)
def test_initialize_negotiates(client, asked, header, given):
    body = message("initialize", {"protocolVersion": asked, "clientInfo": CLIENT_INFO, "capabilities": {}}, era=LEGACY)
    result = send(client, body, era=LEGACY, mcp_protocol_version=header).json()["result"]
    assert result["protocolVersion"] == given


@pytest.mark.parametrize("capabilities", [{}, {"capabilities": None}])
def test_initialize_without_capabilities_is_taken(client, capabilities):
    params = {"protocolVersion": LEGACY, "clientInfo": CLIENT_INFO, **capabilities}
    result = post(client, "initialize", params, era=LEGACY).json()["result"]
    assert result["serverInfo"]["name"] == "mcpx"
    assert result["capabilities"] == {"tools": {"listChanged": False}, "logging": {}}


@pytest.mark.parametrize("era", ERAS)
def test_malformed_parameters_are_explained_in_one_sentence(client, era):
    response = post(client, "tools/call", {"arguments": {}}, era=era)
    assert error(response)[1:] == (-32602, 7)
    assert response.json()["error"]["message"] == "Invalid parameters. params.name: Field required."


@pytest.mark.parametrize("era", ERAS)
def test_what_broke_inside_stays_inside(client, era, caplog):
    with caplog.at_level(logging.ERROR):
        response = call(client, "broken", era=era)
    assert SECRET_INSIDE not in response.text
    assert SECRET_INSIDE in caplog.text


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("body", [{"jsonrpc": "2.0", "id": 1, "result": {}}, {"id": {}, "error": "odd"}])
def test_a_posted_response_waits_for_nobody(client, era, body):
    response = client.post("/mcp", json=body, headers={"accept": BOTH_FORMS, "mcp-protocol-version": era})
    assert response.status_code == (202 if era == LEGACY else 400)


def test_a_missing_number_is_null(client):
    for era in ERAS:
        result = call(client, "weather_reading", era=era).json()["result"]
        assert result["structuredContent"] == {"celsius": None, "station": "KNYC"}


def test_the_tool_is_told_of_the_request_as_it_came(client):
    body = message("tools/call", {"name": "telling", "useUserToken": True}, **{"vendor/trace": "abc"})
    sent = headers(body, accept="*/*") | {"X-Custom": "one"}
    told = client.post("/mcp", json=body, headers=sent).json()["result"]["structuredContent"]
    assert told["subject"] == "anonymous"
    assert told["extra"] == {"vendor/trace": "abc", "useUserToken": True}
    assert 0 < told["remaining"] <= SETTINGS.tool_timeout_seconds
    assert (told["method"], told["path"]) == ("POST", "/mcp")
    names = [name for name, _ in told["headers"]]
    assert ["accept", "*/*"] in told["headers"]
    assert ["x-custom", "one"] in told["headers"]
    assert names.index("accept") < names.index("x-custom")
