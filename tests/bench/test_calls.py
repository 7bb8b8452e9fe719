import json

import pytest

from bench.calls import ERAS, WrongAnswerError, echo, result
from bench.http_client import Reply

ANSWER = b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"Hello, MCP!"}]}}'
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}


@pytest.mark.parametrize("era", ERAS)
def test_a_call_says_which_era_it_is_of(era):
    call = echo(era)

    assert call.headers["mcp-protocol-version"] == era
    describes_itself = "io.modelcontextprotocol/protocolVersion" in json.loads(call.body)["params"].get("_meta", {})
    assert describes_itself == ("mcp-method" in call.headers) == (era == "2026-07-28")


@pytest.mark.parametrize(
    "reply", [Reply(200, JSON, ANSWER), Reply(200, SSE, b"event: message\ndata: " + ANSWER + b"\n\n")]
)
def test_a_right_answer_passes(reply):
    echo(ERAS[0]).check(reply)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(502, JSON, ANSWER),
        Reply(200, JSON, ANSWER.replace(b"Hello", b"Bye")),
        Reply(200, JSON, b'{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Hello, MCP!"}}'),
        Reply(200, JSON, ANSWER.replace(b'"content"', b'"isError":true,"content"')),
        Reply(200, JSON, b"[]"),
        Reply(200, SSE, b": nothing yet\n\n"),
        Reply(200, {}, b""),
    ],
)
def test_any_other_answer_stops_the_benchmark(reply):
    with pytest.raises(WrongAnswerError, match=str(reply.status)):
        echo(ERAS[0]).check(reply)


def test_a_result_is_an_object_or_nothing():
    assert result(Reply(200, JSON, b'{"result": [1]}')) == {}
