import json

import pytest
from starlette.requests import Request

from auth.errors import InvalidRequestError
from auth.server.config import Config, Limits
from auth.server.register import register
from tests.support.auth_server import PLENTY, START, auth_server

PATH = "/oauth/register"
URI = "https://app.example/cb"


@pytest.fixture
def running(tmp_path):
    with auth_server(tmp_path) as server:
        yield server


def no_store(reply):
    return reply.headers["cache-control"] == "no-store"


def test_a_public_client_registers(running):
    reply = running.client.post(
        PATH,
        json={
            "client_name": "Visual Studio Code",
            "client_uri": "https://code.visualstudio.com",
            "redirect_uris": ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
            "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            "logo_uri": "javascript:alert(1)",
            "software_id": "vscode",
        },
    )
    assert reply.status_code == 201
    assert no_store(reply)
    told = reply.json()
    client = running.call(running.server.clients.find, told.pop("client_id"), fetch=False)
    assert client.name == "Visual Studio Code"
    assert told == {
        "client_id_issued_at": START,
        "client_name": "Visual Studio Code",
        "client_uri": "https://code.visualstudio.com",
        "redirect_uris": ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "mcp.read mcp.tools",
        "application_type": "native",
    }


def test_a_confidential_client_is_told_its_secret_once(running):
    told = running.client.post(PATH, json={"redirect_uris": [URI], "token_endpoint_auth_method": "client_secret_post"})
    assert told.status_code == 201
    assert len(told.json()["client_secret"]) == 43
    assert told.json()["client_secret_expires_at"] == 0
    assert told.json()["token_endpoint_auth_method"] == "client_secret_post"


def test_cursor_registers_with_its_own_scheme(running):
    uris = ["cursor://anysphere.cursor-mcp/oauth/callback", "http://localhost:8787/callback"]
    reply = running.client.post(
        PATH, json={"redirect_uris": uris, "application_type": "web", "token_endpoint_auth_method": "none"}
    )
    assert (reply.status_code, reply.json()["application_type"]) == (201, "native")


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://app.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [URI], "token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"redirect_uris": [URI], "grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"redirect_uris": [URI], "client_name": ["x"]}, "invalid_client_metadata"),
    ],
)
def test_must_not_11_a_refused_registration_is_not_cached(running, metadata, code):
    reply = running.client.post(PATH, json=metadata)
    assert (reply.status_code, reply.json()["error"]) == (400, code)
    assert no_store(reply)
    assert running.call(running.server.clients.list) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"1" * 5000,
        b"{",
        b'{"redirect_uris": [], "redirect_uris": []}',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"client_name": "\\ud800", "redirect_uris": ["https://app.example/cb"]}',
        b'{"client_name": "\xff"}',
        b"[" * 16000,
        b'{"a":' * 3000,
        '{"redirect_uris": ["https://app.example/cb"]}'.encode("utf-16"),
        b'\xef\xbb\xbf{"redirect_uris": ["https://app.example/cb"]}',
    ],
)
def test_must_not_12_odd_json_is_refused(running, body):
    reply = running.client.post(PATH, content=body, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_client_metadata")
    assert no_store(reply)


@pytest.mark.parametrize(
    "kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/json-seq", "ÿ", ";"]
)
def test_must_not_12_an_odd_content_type_is_refused(running, kind):
    headers = {} if kind is None else {"content-type": kind.encode("latin-1")}
    reply = running.client.post(PATH, content=json.dumps({"redirect_uris": [URI]}).encode(), headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_client_metadata")


def test_json_may_name_its_charset(running):
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert running.client.post(PATH, content=b'{"redirect_uris":["https://a.example/"]}', headers=headers).is_success


def test_must_not_22_a_registration_has_a_largest_size(running):
    body = json.dumps({"redirect_uris": [URI]}).encode()
    for padding, status in ((16 * 1024 - len(body), 201), (16 * 1024 - len(body) + 1, 413), (1_000_000, 413)):
        headers = {"content-type": "application/json"}
        reply = running.client.post(PATH, content=body + b" " * padding, headers=headers)
        assert reply.status_code == status
        assert no_store(reply)


def test_must_not_22_an_address_registers_so_often_and_no_more(tmp_path):
    config = Config(limits=PLENTY._replace(registrations_per_address=2))
    with auth_server(tmp_path, config=config) as running:
        for _ in range(5):
            assert running.client.post(PATH, json={}).status_code == 400
        for status in (201, 201, 429, 429):
            reply = running.client.post(PATH, json={"redirect_uris": [URI]})
            assert reply.status_code == status
        assert 0 < int(reply.headers["retry-after"]) <= 3600
        assert no_store(reply)
        assert len(running.call(running.server.clients.list)) == 2
        running.clock.advance(3600)
        assert running.client.post(PATH, json={"redirect_uris": [URI]}).status_code == 201


def test_ten_registrations_an_hour_are_the_default():
    assert Limits().registrations_per_address == 10


def test_a_client_that_hangs_up_has_not_registered(running):
    async def receive():
        return {"type": "http.disconnect"}

    headers = [(b"content-type", b"application/json")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    with pytest.raises(InvalidRequestError):
        running.call(register, running.server, request, running.issuer)
    assert running.call(running.server.clients.list) == []


def test_registration_can_be_switched_off(tmp_path):
    with auth_server(tmp_path, config=Config(registration=False, limits=PLENTY)) as running:
        reply = running.client.post(PATH, json={"redirect_uris": [URI]})
        assert (reply.status_code, reply.json()["error"]) == (403, "access_denied")
        assert no_store(reply)
        assert running.call(running.server.clients.list) == []


def test_nothing_but_post_is_served(running):
    assert running.client.get(PATH).status_code == 405
