import logging
import threading

import anyio.to_thread
import pytest
from starlette.responses import PlainTextResponse

from auth.principal import Principal
from auth.verify.authenticator import RefusedError
from mcp_app.middleware.access_log import AccessLogMiddleware
from mcp_app.middleware.authentication import AuthenticationMiddleware
from tests.support.serve import connected


class Records(logging.Handler):
    """Keeps log records, and tells when one has come."""

    def __init__(self):
        super().__init__()
        self.all: list[dict] = []
        self.arrived = threading.Event()

    def emit(self, record):
        self.all.append(vars(record))
        self.arrived.set()

    def one(self) -> dict:
        assert self.arrived.wait(5)
        (record,) = self.all
        return record


@pytest.fixture
def records():
    logger = logging.getLogger("mcp_app.middleware.access_log")
    handler, level = Records(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


class Locked:
    async def authenticate(self, scope):
        raise RefusedError("invalid_token", "The access token has expired.")


def ticking(*moments: float):
    return iter(moments).__next__


async def hello(scope, receive, send):
    scope["principal"] = Principal("user-7")
    scope["rpc"] = {"method": "tools/call", "tool": "get_weather"}
    await PlainTextResponse("hello", 201)(scope, receive, send)


def test_a_request_is_one_line(records):
    with connected(AccessLogMiddleware(hello, clock=ticking(1.0, 1.0125))) as client:
        client.post("/mcp?token=hunter2", headers={"Authorization": "Bearer hunter2"}, content=b"hunter2")
    record = records.one()
    expected = {
        "method": "POST",
        "path": "/mcp",
        "status": 201,
        "duration_ms": 12.5,
        "bytes": 5,
        "complete": True,
        "principal": "user-7",
        "rpc_method": "tools/call",
        "rpc_tool": "get_weather",
    }
    assert {name: record[name] for name in expected} == expected
    assert record["msg"] % record["args"] == "POST /mcp 201"
    assert "hunter2" not in str(record)


def test_why_nobody_was_let_in_is_in_the_line(records):
    app = AuthenticationMiddleware(hello, Locked())
    with connected(AccessLogMiddleware(app)) as client:
        assert client.post("/mcp").status_code == 401
    record = records.one()
    assert record["refused"] == "The access token has expired."
    assert "principal" not in record


@pytest.mark.parametrize("name", [None, "two words", "x" * 65, "\x1b[31m"])
def test_what_cannot_be_a_name_is_not_logged(records, name):
    async def app(scope, receive, send):
        scope["rpc"] = {"method": name, "tool": name}
        await PlainTextResponse("")(scope, receive, send)

    with connected(AccessLogMiddleware(app)) as client:
        client.get("/")
    assert not {"rpc_method", "rpc_tool", "principal"} & records.one().keys()


def test_a_cut_reply_is_logged_as_incomplete(records):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("cut")

    with connected(AccessLogMiddleware(app)) as client, client.stream("GET", "/"):
        pass
    record = records.one()
    assert (record["status"], record["bytes"], record["complete"]) == (200, 4, False)


def test_a_reply_is_passed_on_as_it_comes(records):
    received = threading.Event()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        assert await anyio.to_thread.run_sync(received.wait, 5)
        await send({"type": "http.response.body", "body": b"second"})

    with connected(AccessLogMiddleware(app)) as client, client.stream("GET", "/") as reply:
        parts = reply.iter_raw()
        assert next(parts) == b"first"
        assert records.all == []
        received.set()
        assert b"".join(parts) == b"second"
    assert records.one()["bytes"] == 11
