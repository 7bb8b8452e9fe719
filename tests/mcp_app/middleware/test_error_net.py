import logging

import httpx2
import pytest
from starlette.responses import PlainTextResponse

from mcp_app.middleware.error_net import ErrorNetMiddleware
from mcp_app.middleware.request_id import RequestIdMiddleware
from tests.support.serve import connected


async def broken(scope, receive, send):
    raise RuntimeError("/srv/inside: key=hunter2")


async def broken_late(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("too late")


def test_an_exception_becomes_a_500_that_shows_nothing(caplog):
    with connected(RequestIdMiddleware(ErrorNetMiddleware(broken))) as client:
        reply = client.get("/secret", headers={"X-Request-Id": "req-9"})
    assert reply.status_code == 500
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json() == {
        "error": "server_error",
        "error_description": "The server failed. It has been logged under this request id.",
        "request_id": "req-9",
    }
    (record,) = [record for record in caplog.records if record.name == "mcp_app.middleware.error_net"]
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is RuntimeError


def test_a_reply_that_has_begun_is_cut_by_the_error_itself():
    reached_server = []

    async def server(scope, receive, send):
        try:
            await ErrorNetMiddleware(broken_late)(scope, receive, send)
        except RuntimeError as error:
            reached_server.append(str(error))
            raise

    with connected(server) as client:
        with client.stream("GET", "/") as reply, pytest.raises(httpx2.RemoteProtocolError):
            reply.read()
        assert reply.status_code == 200
    assert reached_server == ["too late"]


def test_a_reply_without_fault_passes():
    with connected(ErrorNetMiddleware(PlainTextResponse("fine"))) as client:
        assert client.get("/").text == "fine"
