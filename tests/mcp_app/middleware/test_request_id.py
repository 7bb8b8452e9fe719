import pytest
from starlette.responses import PlainTextResponse

from mcp_app.middleware.request_id import RequestIdMiddleware
from mcp_app.telemetry import request_id
from tests.support.lambda_scope import OnLambda
from tests.support.serve import connected


async def show_id(scope, receive, send):
    await PlainTextResponse(str(request_id.get()))(scope, receive, send)


def fixed_id() -> str:
    return "made-here"


def test_a_sane_inbound_id_is_kept_and_echoed():
    with connected(RequestIdMiddleware(show_id)) as client:
        reply = client.get("/", headers={"X-Request-Id": "abc-1.2:3_4"})
    assert reply.text == reply.headers["x-request-id"] == "abc-1.2:3_4"


@pytest.fixture(scope="module")
def client():
    with connected(RequestIdMiddleware(show_id, make_id=fixed_id)) as client:
        yield client


@pytest.mark.parametrize("given", ["", "two words", "a" * 129, "a,b", "<script>", 'x"y'])
def test_any_other_inbound_id_is_replaced(client, given):
    reply = client.get("/", headers={"X-Request-Id": given})
    assert reply.text == reply.headers["x-request-id"] == "made-here"


def test_on_lambda_the_invocation_names_the_request():
    with connected(OnLambda(RequestIdMiddleware(show_id), request_id="11-22")) as client:
        assert client.get("/").text == "11-22"
        assert client.get("/", headers={"X-Request-Id": "mine"}).text == "mine"


def test_random_ids_differ():
    with connected(RequestIdMiddleware(show_id)) as client:
        first, second = (client.get("/").headers["x-request-id"] for _ in range(2))
    assert first != second
    assert len(first) == 32


def test_the_id_ends_with_the_request():
    """A Lambda sandbox serves one request after the other in one context."""
    afterwards = []

    async def sandbox(scope, receive, send):
        await RequestIdMiddleware(show_id)(scope, receive, send)
        afterwards.append(request_id.get())

    with connected(sandbox) as client:
        assert client.get("/", headers={"X-Request-Id": "one"}).text == "one"
    assert afterwards == [None]
