import json
from dataclasses import replace

import pytest

from mcp_app.tools.tool import Annotations
from mcp_app.tools.utility.echo import echo
from mcp_app.transport.envelope import read_envelope
from mcp_app.transport.negotiation import Accepts, answer_form

MODERN, HANDSHAKE = "2026-07-28", "2025-11-25"
BOTH = Accepts(json=True, sse=True)

LOCAL = echo
STREAMING = replace(echo, streaming=True)
CALLING_OUT = replace(echo, annotations=Annotations(read_only=True, open_world=True))


def envelope(method="tools/call", **meta):
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"name": "echo", "_meta": meta}}
    return read_envelope(json.dumps(message).encode())


@pytest.mark.parametrize(
    ("message", "tool", "modern", "handshake"),
    [
        (envelope(), LOCAL, "json", "json"),
        (envelope(), STREAMING, "stream", "stream"),
        (envelope(), CALLING_OUT, "stream", "json"),
        (envelope(), None, "stream", "json"),
        (envelope(progressToken=1), LOCAL, "stream", "stream"),
        (envelope(**{"io.modelcontextprotocol/logLevel": "info"}), LOCAL, "stream", "json"),
        (envelope("tools/list"), None, "json", "json"),
        (envelope("server/discover"), None, "json", "json"),
        (envelope("prompts/get"), None, "stream", "json"),
        (envelope("tools/list", progressToken=1), None, "stream", "json"),
    ],
)
def test_only_a_call_that_may_have_something_to_stream_is_ready_to(message, tool, modern, handshake):
    assert answer_form(message, MODERN, BOTH, tool) == modern
    assert answer_form(message, HANDSHAKE, BOTH, tool) == handshake


def test_who_takes_no_stream_gets_none():
    assert answer_form(envelope(progressToken=1), MODERN, Accepts(json=True, sse=False), STREAMING) == "json"
