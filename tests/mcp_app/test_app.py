import json
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio.to_thread
import pytest

from mcp_app.app import create_app
from mcp_app.authentication import authenticator
from mcp_app.settings import Settings, SettingsError
from mcp_app.tools.registry import Registry
from mcp_app.tools.utility.echo import echo
from tests.support.lambda_scope import OnLambda
from tests.support.serve import connected

SETTINGS = Settings(auth_mode="noauth", log_level="ERROR")
PUBLIC_URL = "https://mcp.example.com"
DOMAIN = "abc.lambda-url.eu-west-1.on.aws"
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def client():
    with connected(create_app(SETTINGS)) as client:
        yield client


def call(client, name, arguments):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    return client.post("/mcp", json=message, headers=ACCEPT)


@pytest.mark.parametrize("modes", ["provider", "oauth,provider"])
def test_a_provider_must_be_named(modes):
    with pytest.raises(SettingsError, match=r"AUTH_MODE=provider needs PROVIDER_ISSUER.*PRESET=neonpanel"):
        create_app(Settings(auth_mode=modes))


def test_the_default_is_not_open(tmp_path):
    settings = Settings.from_environment({"AUTH_DB_PATH": str(tmp_path / "auth.db"), "LOG_LEVEL": "ERROR"})
    with connected(create_app(settings)) as client:
        assert call(client, "echo", {"message": "hi"}).status_code == 401


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"public_url": "http://mcp.example.com"}, "PUBLIC_URL that begins with https://"),
        ({"public_url": "http://10.0.0.5:8000"}, "PUBLIC_URL that begins with https://"),
        ({"host": "0.0.0.0"}, "needs PUBLIC_URL"),
        ({"host": "mcp.example.com"}, "needs PUBLIC_URL"),
        ({"lambda_function": "mcp"}, "needs AUTH_TABLE"),
        ({"lambda_function": "mcp", "auth_table": "t"}, "needs SIGNING_KEY_ARN"),
        ({"lambda_function": "mcp", "auth_table": "t", "signing_key_arn": "k"}, "needs SERVER_SECRET_ARN"),
        ({"auth_table": "t"}, "SERVER_SECRET .* in common"),
        ({"lambda_function": "mcp", "auth_db_path": "/tmp/x.db", "public_url": "http://a.example"}, "https://"),
        ({"jwt_secret_key": "short"}, "JWT_SECRET_KEY must have 32 bytes or more"),
    ],
)
def test_a_server_with_users_is_refused_where_it_would_not_be_safe(given, advice):
    with pytest.raises(SettingsError, match=advice):
        create_app(Settings(auth_mode="oauth", **given))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"public_url": "http://localhost:8000"},
        {"public_url": PUBLIC_URL},
        {"public_url": PUBLIC_URL, "host": "0.0.0.0"},
        {"host": "0.0.0.0", "public_url": "http://127.0.0.1:8000"},
        {"lambda_function": "mcp", "auth_db_path": "/tmp/x.db"},
        {"auth_table": "t", "server_secret": "s" * 32},
        {"lambda_function": "mcp", "auth_table": "t", "signing_key_arn": "k", "server_secret_arn": "s"},
        {"lambda_function": "mcp", "auth_table": "t", "jwt_secret_key": "k" * 32, "server_secret": "s" * 32},
    ],
)
def test_a_server_with_users_may_start_where_it_is_safe(given):
    assert create_app(Settings(auth_mode="oauth", **given))


@pytest.mark.parametrize("mode", ["oauth", "provider"])
def test_a_mode_that_nobody_was_put_in_charge_of_lets_nobody_in(mode):
    with pytest.raises(SettingsError, match=f"AUTH_MODE={mode} cannot be served"):
        authenticator(Settings(auth_mode=mode), None)


def test_aws_identities_come_by_a_function_url_alone():
    with pytest.raises(SettingsError, match="AUTH_MODE=iam works on Lambda alone"):
        create_app(Settings(auth_mode="iam"))


IAM = {"accessKey": "AKIA", "accountId": "1", "userArn": "arn:aws:iam::1:user/ann", "userId": "AIDA"}


@pytest.mark.parametrize(("authorizer", "status"), [({"authorizer": {"iam": IAM}}, 200), ({}, 401)])
@pytest.mark.parametrize("modes", ["iam", "oauth,iam", "iam,oauth"])
def test_an_aws_identity_gets_in_and_nobody_else(tmp_path, modes, authorizer, status):
    settings = Settings(
        auth_mode=modes, lambda_function="mcp", auth_db_path=str(tmp_path / "auth.db"), log_level="ERROR"
    )
    app = OnLambda(create_app(settings), DOMAIN)
    app.event["requestContext"].update(authorizer)
    with connected(app) as client:
        reply = call(client, "echo", {"message": "hi"})
        metadata = client.get("/.well-known/oauth-protected-resource").status_code
    assert reply.status_code == status
    assert metadata == (200 if "oauth" in modes else 404)


def test_chatgpts_check_of_the_domain_is_answered_where_it_is_set(client):
    path = "/.well-known/openai-apps-challenge"
    assert client.get(path).status_code == 404
    with connected(create_app(SETTINGS.replace(openai_apps_challenge="a-word-of-theirs"))) as asked:
        reply = asked.get(path)
    assert (reply.text, reply.headers["content-type"]) == ("a-word-of-theirs", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "public",
    [
        {"public_url": PUBLIC_URL},
        {"public_url": "http://10.0.0.5:8000"},
        {"lambda_function": "mcp"},
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "mcp.example.com"},
        {"host": "0.0.0.0", "public_url": "http://127.0.0.1:8000"},
        {"lambda_function": "mcp", "public_url": PUBLIC_URL},
    ],
)
def test_an_open_server_in_public_must_be_meant(public):
    settings = SETTINGS.replace(**public)
    with pytest.raises(SettingsError, match="ALLOW_PUBLIC_NOAUTH=true"):
        create_app(settings)
    assert create_app(settings.replace(allow_public_noauth=True))


@pytest.mark.parametrize(
    "private",
    [
        {},
        {"host": "localhost"},
        {"host": "::1"},
        {"lambda_function": "mcp", "public_url": "http://localhost:9000"},
    ],
)
def test_an_open_server_on_this_machine_may_start(private):
    assert create_app(SETTINGS.replace(**private))


def test_an_open_server_warns_when_it_starts(caplog):
    app = create_app(SETTINGS.replace(log_level="WARNING"))
    assert "AUTH_MODE=noauth" not in caplog.text
    with connected(app):
        warnings = [record for record in caplog.records if record.name == "mcp_app.app"]
    assert [record.levelno for record in warnings] == [logging.WARNING]
    assert "anybody who reaches this server can call every tool" in warnings[0].message


def test_a_tool_is_called(client):
    reply = call(client, "echo", {"message": "hi"})
    assert reply.status_code == 200
    assert reply.json()["result"]["content"] == [{"type": "text", "text": "hi"}]


def test_a_registry_of_ones_own_is_served():
    with connected(create_app(SETTINGS, Registry([echo]))) as client:
        listed = client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=ACCEPT).json()
    assert [tool["name"] for tool in listed["result"]["tools"]] == ["echo"]


@pytest.mark.parametrize("path", ["/nothing", "/mcp/", "/healthz/", "/MCP", "//evil.example", "/mcp/../x"])
def test_an_unknown_path_is_a_404_in_json(client, path):
    # A raw request: a client library would tidy the path.
    reply = raw(client, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 404 ")
    assert b"location" not in reply.lower().partition(b"\r\n\r\n")[0]
    assert json.loads(reply.partition(b"\r\n\r\n")[2])["error"] == "not_found"


def raw(client, request: str) -> bytes:
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/mcp", "POST"),
        ("DELETE", "/mcp", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("OPTIONS", "/healthz", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_a_405(client, method, path, allow):
    reply = client.request(method, path)
    assert (reply.status_code, reply.headers["allow"]) == (405, allow)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/nothing", {}, 404),
        ("GET", "/mcp", {}, 405),
        ("POST", "/mcp", {"Content-Type": "application/json", **ACCEPT}, 400),
        ("OPTIONS", "/mcp", {}, 204),
        ("GET", "/", {"Origin": "https://evil.example"}, 403),
        ("GET", "/", {"Host": "evil.example"}, 403),
    ],
)
def test_every_reply_carries_its_id_and_the_security_headers(client, method, path, headers, status):
    reply = client.request(method, path, headers={"X-Request-Id": "mine-1", **headers})
    assert reply.status_code == status
    assert reply.headers["x-request-id"] == "mine-1"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in reply.headers
    assert "server" not in reply.headers


def test_an_error_in_a_page_of_another_origin_can_be_read_by_it(client):
    reply = client.get("/nothing", headers={"Origin": "http://localhost:6274"})
    assert reply.status_code == 404
    assert reply.headers["access-control-allow-origin"] == "http://localhost:6274"
    assert "X-Request-Id" in reply.headers["access-control-expose-headers"]


def test_on_lambda_the_events_domain_is_the_public_url():
    settings = SETTINGS.replace(lambda_function="mcp", allow_public_noauth=True)
    with connected(OnLambda(create_app(settings), DOMAIN, request_id="invocation-1")) as client:
        own = client.get("/", headers={"Origin": f"https://{DOMAIN}", "Host": "evil.example"})
        foreign = client.get("/", headers={"Origin": "https://evil.example", "Host": "evil.example"})
    assert (own.status_code, foreign.status_code) == (200, 403)
    assert own.headers["x-request-id"] == "invocation-1"
    assert "strict-transport-security" in own.headers


def test_a_request_leaves_one_access_line_with_its_id(capsys):
    with connected(create_app(SETTINGS.replace(log_level="INFO"))) as client:
        call(client, "echo", {"message": "my-private-words"})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line["logger"] == "mcp_app.middleware.access_log"]
    assert line["message"] == "POST /mcp 200"
    assert (line["rpc_method"], line["rpc_tool"], line["principal"]) == ("tools/call", "echo", "anonymous")
    assert len(line["request_id"]) == 32
    assert "my-private-words" not in json.dumps(lines)


def answer_once(upstream: socket.socket) -> socket.socket:
    """Tell the weather once, and keep the connection open."""
    connection, _ = upstream.accept()
    connection.settimeout(5)
    while b"\r\n\r\n" not in connection.recv(65536):
        pass
    body = json.dumps({"main": {"temp": 72, "humidity": 65}, "weather": [{"description": "clear sky"}]})
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall((head + body).encode())
    return connection


def test_the_servers_end_closes_the_connections_of_its_tools():
    with socket.create_server(("127.0.0.1", 0)) as upstream, ThreadPoolExecutor(1) as pool:
        upstream.settimeout(5)
        url = f"http://127.0.0.1:{upstream.getsockname()[1]}"
        app = create_app(SETTINGS.replace(weather_api_key="weather-key", openweathermap_base_url=url))
        with connected(app) as client:
            answering = pool.submit(answer_once, upstream)
            assert call(client, "get_weather", {"zip_code": "10001"}).status_code == 200
            connection = answering.result()
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                connection.recv(1)
        with connection:
            connection.settimeout(5)
            assert connection.recv(1) == b""


def test_a_failure_to_start_is_told():
    app = create_app(SETTINGS)
    with connected(app), pytest.raises(RuntimeError, match="did not start"), connected(app):
        pass


def test_it_streams_what_it_sends():
    arrived = threading.Event()

    async def endpoint(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        assert await anyio.to_thread.run_sync(arrived.wait, 5)
        await send({"type": "http.response.body", "body": b"second"})

    app = create_app(SETTINGS)
    app.router.routes[0].app = endpoint
    with connected(app) as client, client.stream("GET", "/") as reply:
        parts = reply.iter_raw()
        assert next(parts) == b"first"
        arrived.set()
        assert b"".join(parts) == b"second"


def test_a_reply_without_headers_gets_the_servers():
    async def bare(scope, receive, send):
        await send({"type": "http.response.start", "status": 202})
        await send({"type": "http.response.body"})

    app = create_app(SETTINGS)
    app.router.routes[0].app = bare
    with connected(app) as client:
        reply = client.get("/")
    assert (reply.status_code, reply.headers["vary"]) == (202, "Origin")
    assert "x-request-id" in reply.headers


def test_an_exception_anywhere_inside_is_a_500_with_every_header():
    async def broken(scope, receive, send):
        raise RuntimeError("inside")

    app = create_app(SETTINGS)
    app.router.routes[0].app = broken
    with connected(app) as client:
        reply = client.get("/", headers={"Origin": "http://localhost:1", "X-Request-Id": "mine-2"})
    assert (reply.status_code, reply.json()["request_id"]) == (500, "mine-2")
    assert reply.headers["access-control-allow-origin"] == "http://localhost:1"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "inside" not in reply.text
