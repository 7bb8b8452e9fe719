import pytest

from mcp_app import wire
from mcp_app.tools.content import Audio, EmbeddedResource, Image, InputRequest, NeedsInput, ResourceLink, Text
from mcp_app.tools.registry import Registry
from mcp_app.tools.resource import Prompt
from tests.support.mcp_messages import CAPABILITIES_KEY, LEGACY, MODERN, call, post
from tests.support.mcp_server import Bare, SecretsInHand
from tests.support.mcp_tools import REGISTRY, asking
from tests.support.serve import connected


@pytest.mark.parametrize(
    ("content", "block"),
    [
        (Text("a"), {"type": "text", "text": "a"}),
        (Image(b"\x00\x01", "image/png"), {"type": "image", "data": "AAE=", "mimeType": "image/png"}),
        (Audio(b"\x00\x01", "audio/wav"), {"type": "audio", "data": "AAE=", "mimeType": "audio/wav"}),
        (EmbeddedResource("a://b", "text"), {"type": "resource", "resource": {"uri": "a://b", "text": "text"}}),
        (
            EmbeddedResource("a://b", b"\x00", "image/png"),
            {"type": "resource", "resource": {"uri": "a://b", "mimeType": "image/png", "blob": "AA=="}},
        ),
        (ResourceLink("a://b", "b"), {"type": "resource_link", "uri": "a://b", "name": "b"}),
    ],
)
def test_content_blocks(content, block):
    assert wire.content_block(content) == block


@pytest.mark.parametrize(
    ("method", "params", "declared", "missing"),
    [
        ("elicitation/create", {}, {"elicitation": {}}, {}),
        ("elicitation/create", {}, {"sampling": {}}, {"elicitation": {}}),
        ("elicitation/create", {"mode": "url"}, {"elicitation": {"form": {}}}, {"elicitation": {"url": {}}}),
        ("elicitation/create", {"mode": "url"}, {"elicitation": {"url": {}}}, {}),
        ("sampling/createMessage", {}, {}, {"sampling": {}}),
        ("sampling/createMessage", {"tools": [{}]}, {"sampling": {}}, {"sampling": {"tools": {}}}),
        ("roots/list", {}, {"roots": None}, {"roots": {}}),
        ("roots/list", {}, {"roots": {}}, {}),
        ("vendor/ask", {}, {}, {}),
    ],
)
def test_required_capabilities(method, params, declared, missing):
    needs = NeedsInput({"key": InputRequest(method, params)})
    assert wire.required_capabilities(needs, declared) == missing


def test_several_missing_capabilities_are_named_together():
    needs = NeedsInput({"a": InputRequest("roots/list", {}), "b": InputRequest("elicitation/create", {"mode": "url"})})
    assert wire.required_capabilities(needs, {}) == {"roots": {}, "elicitation": {"url": {}}}


def test_only_tools_that_mirror_arguments_have_their_schema_looked_at():
    assert [tool.name for tool in REGISTRY.tools if wire.mirrors(tool)] == ["mirrored"]


def test_a_hundred_completions_at_most():
    found = wire.completion([f"value {number}" for number in range(150)], "VALUE")["completion"]
    assert (len(found["values"]), found["total"], found["hasMore"]) == (100, 150, True)


async def ask(_arguments, context):
    return NeedsInput({"value": InputRequest("roots/list", {})}, "state")


def test_a_prompt_may_ask_too():
    registry = Registry([asking], prompts=[Prompt(name="ask", render=ask)])
    declared = {CAPABILITIES_KEY: {"roots": {}}}
    with connected(Bare(registry, SecretsInHand())) as client:
        asked = post(client, "prompts/get", {"name": "ask"}, era=MODERN, **declared).json()["result"]
        assert asked["inputRequests"] == {"value": {"method": "roots/list", "params": {}}}
        assert asked["requestState"] != "state"
        assert post(client, "prompts/get", {"name": "ask"}).json()["error"]["code"] == -32021
        refused = post(client, "prompts/get", {"name": "ask"}, era=LEGACY).json()["error"]
        assert "2026-07-28" in refused["message"]
        assert call(client, "asking", era=MODERN, **{CAPABILITIES_KEY: None}).json()["error"]["code"] == -32602
