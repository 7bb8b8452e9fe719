import asyncio
import re
from dataclasses import replace

import pytest

from mcp_app import protocol
from mcp_app.tools.content import EmbeddedResource, Text
from mcp_app.tools.registry import Registry
from mcp_app.tools.resource import Prompt, PromptArgument, PromptMessage, Resource, ResourceTemplate
from mcp_app.version import VERSION
from tests.support.calls import REGISTRY as UTILITIES
from tests.support.mcp_messages import ERAS, LEGACY, MODERN, call, error, headers, message, post
from tests.support.mcp_server import Bare, SecretsInHand
from tests.support.mcp_tools import REGISTRY
from tests.support.serve import connected, serving
from tests.support.tools import ROOT


def sdk_client(url, mode, **callbacks):
    """The SDK's own client, imported only now: as a rule after the server has imported the SDK leanly."""
    from mcp.client import Client

    return Client(f"{url}/mcp", mode=mode, **callbacks)


CLIENT_MODES = ("legacy", "auto", MODERN)


async def greet(arguments, _context):
    return [PromptMessage("user", Text(f"Greet {arguments['name']}"))]


async def manual():
    return "Read me."


async def picture():
    return b"\x89PNG"


async def order(values):
    return f"order {values['id']}"


LIBRARY = Registry(
    [UTILITIES.get("echo")],
    [
        Resource(uri="doc://manual", name="manual", read=manual, mime_type="text/plain", constant=True),
        Resource(uri="doc://picture", name="picture", read=picture, mime_type="image/png"),
    ],
    [ResourceTemplate(uri_template="order://{id}/text", name="order", read=order, mime_type="text/plain")],
    [
        Prompt(
            name="greet",
            render=greet,
            description="Greets.",
            arguments=(PromptArgument("name", required=True, suggestions=("Ada", "Alan", "Grace")),),
        )
    ],
)


def bare(registry, **settings):
    return connected(Bare(registry, SecretsInHand(), **settings))


@pytest.fixture(scope="module")
def client():
    with bare(REGISTRY) as client:
        yield client


@pytest.fixture(scope="module")
def library():
    with bare(LIBRARY) as client:
        yield client


def listed(client, *, era=MODERN, method="tools/list"):
    return post(client, method, era=era).json()["result"]


def test_the_versions_are_the_sdks():
    import mcp_types.version

    assert set(protocol.HANDSHAKE_VERSIONS) == set(mcp_types.version.HANDSHAKE_PROTOCOL_VERSIONS)
    assert set(protocol.MODERN_VERSIONS) == set(mcp_types.version.MODERN_PROTOCOL_VERSIONS)


def test_the_version_is_the_packages():
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("era", ERAS)
def test_tools_are_listed_in_a_fixed_order_by_names_that_every_client_takes(client, era):
    names = [tool["name"] for tool in listed(client, era=era)["tools"]]
    assert names == [tool.name.replace(".", "_") for tool in REGISTRY.tools]
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)


def test_a_setting_lists_dotted_names():
    with bare(REGISTRY, dotted_tool_names=True) as client:
        names = [tool["name"] for tool in listed(client)["tools"]]
        assert "weather.reading" in names
        assert "weather.reading" in listed(client, method="server/discover")["instructions"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", ["weather.reading", "weather_reading"])
def test_a_tool_is_called_by_either_name(client, name, era):
    assert call(client, name, era=era).json()["result"]["structuredContent"]["station"] == "KNYC"


def test_a_listing_says_what_a_client_and_a_model_need(client):
    echo, reading, *_ = listed(client)["tools"]
    assert echo["title"] == "Echo"
    assert echo["inputSchema"]["additionalProperties"] is False
    assert echo["inputSchema"]["examples"] == [{"message": "Hello, MCP!"}]
    assert echo["outputSchema"]["required"] == ["message"]
    assert echo["annotations"] == {
        "title": "Echo",
        "readOnlyHint": True,
        "destructiveHint": False,
        "idempotentHint": True,
        "openWorldHint": False,
    }
    assert echo["_meta"] == {"securitySchemes": [{"type": "noauth"}]}
    assert reading["_meta"]["securitySchemes"] == [{"type": "noauth"}]


def test_lists_carry_how_long_and_for_whom_they_hold(library):
    for method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list", "server/discover"):
        result = listed(library, method=method)
        assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == ("complete", 300_000, "public")


def test_the_handshake_era_gets_nothing_of_the_later_one(library):
    result = listed(library, era=LEGACY)
    assert set(result) == {"tools"}


def test_a_cursor_was_never_handed_out(client):
    for era in ERAS:
        assert error(post(client, "tools/list", {"cursor": "abc"}, era=era))[1:] == (-32602, 7)


def test_the_server_says_who_it_is_and_what_it_offers(client):
    result = listed(client, method="server/discover")
    assert result["supportedVersions"] == [MODERN]
    info = result["_meta"]["io.modelcontextprotocol/serverInfo"]
    assert info == {"name": "mcpx", "title": "mcpx", "version": VERSION}
    assert result["capabilities"] == {"tools": {"listChanged": False}, "logging": {}}
    assert len(result["instructions"]) <= 512
    assert "echo (Echo)" in result["instructions"]


def test_instructions_stay_short_with_many_tools():
    many = [REGISTRY.get("echo"), *(_renamed(number) for number in range(60))]
    with bare(Registry(many)) as client:
        instructions = listed(client, method="server/discover")["instructions"]
    assert len(instructions) <= 512
    assert instructions.endswith(" and more.")


def _renamed(number):
    return replace(REGISTRY.get("echo"), name=f"echo_{number}")


def test_only_what_is_served_is_advertised(library):
    assert listed(library, method="server/discover")["capabilities"] == {
        "tools": {"listChanged": False},
        "prompts": {"listChanged": False},
        "resources": {"subscribe": False, "listChanged": False},
        "completions": {},
    }


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("uri", "contents"),
    [
        ("doc://manual", {"mimeType": "text/plain", "text": "Read me."}),
        ("doc://picture", {"mimeType": "image/png", "blob": "iVBORw=="}),
        ("order://a%20b/text", {"mimeType": "text/plain", "text": "order a b"}),
    ],
)
def test_resources_are_read(library, era, uri, contents):
    result = post(library, "resources/read", {"uri": uri}, era=era).json()["result"]
    assert result["contents"] == [{"uri": uri, **contents}]


@pytest.mark.parametrize(("era", "code"), [(MODERN, -32602), (LEGACY, -32002)])
@pytest.mark.parametrize("uri", ["doc://none", "order://a/b/text", "order:///text"])
def test_an_unknown_resource_is_named(library, era, code, uri):
    response = post(library, "resources/read", {"uri": uri}, era=era)
    assert response.json()["error"] == {"code": code, "message": "Resource not found", "data": {"uri": uri}}


def test_a_subscription_is_granted_to_what_never_changes(library):
    for method in ("resources/subscribe", "resources/unsubscribe"):
        assert post(library, method, {"uri": "doc://manual"}, era=LEGACY).json()["result"] == {}
        assert post(library, method, {"uri": "doc://picture"}, era=LEGACY).json()["error"]["code"] == -32002


@pytest.mark.parametrize("era", ERAS)
def test_prompts_are_rendered(library, era):
    result = post(library, "prompts/get", {"name": "greet", "arguments": {"name": "Ada"}}, era=era).json()["result"]
    assert result["messages"] == [{"role": "user", "content": {"type": "text", "text": "Greet Ada"}}]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("params", "text"),
    [({"name": "nope"}, "Unknown prompt: nope"), ({"name": "greet"}, "Missing arguments: name")],
)
def test_a_prompt_that_cannot_be_rendered_is_a_bad_parameter(library, era, params, text):
    response = post(library, "prompts/get", params, era=era)
    assert response.json()["error"]["code"] == -32602
    assert response.json()["error"]["message"] == text


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("ref", "argument", "values"),
    [
        ({"type": "ref/prompt", "name": "greet"}, {"name": "name", "value": "a"}, ["Ada", "Alan"]),
        ({"type": "ref/prompt", "name": "greet"}, {"name": "name", "value": ""}, ["Ada", "Alan", "Grace"]),
        ({"type": "ref/prompt", "name": "greet"}, {"name": "other", "value": "a"}, []),
        ({"type": "ref/resource", "uri": "order://{id}/text"}, {"name": "id", "value": "1"}, []),
    ],
)
def test_completions_begin_with_what_was_typed(library, era, ref, argument, values):
    params = {"ref": ref, "argument": argument}
    result = post(library, "completion/complete", params, era=era).json()["result"]
    assert result["completion"] == {"values": values, "total": len(values), "hasMore": False}


def test_what_breaks_outside_a_tool_stays_inside_too(caplog):
    async def read():
        raise OSError("/etc/shadow")

    registry = Registry([], [Resource(uri="doc://broken", name="broken", read=read)])
    with bare(registry) as client:
        for era in ERAS:
            response = post(client, "resources/read", {"uri": "doc://broken"}, era=era)
            assert response.json()["error"] == {"code": -32603, "message": "Internal error. It has been logged."}
            assert response.json()["id"] == 7
    assert "/etc/shadow" in caplog.text


def test_what_hangs_outside_a_tool_is_ended_at_the_deadline():
    async def forever(*_anything):
        await asyncio.Event().wait()

    registry = Registry(
        [],
        [Resource(uri="doc://slow", name="slow", read=forever)],
        prompts=[Prompt(name="slow", render=forever)],
    )
    with bare(registry, tool_timeout_seconds=0.1) as client:
        for era in ERAS:
            for method, params in (("resources/read", {"uri": "doc://slow"}), ("prompts/get", {"name": "slow"})):
                refusal = post(client, method, params, era=era).json()["error"]
                assert refusal == {"code": -32603, "message": "This did not finish in time. Try again later."}


def test_a_result_that_breaks_its_schema_is_not_sent(caplog):
    async def read():
        return EmbeddedResource("not", "text")

    registry = Registry([], [Resource(uri="doc://odd", name="odd", read=read)])
    with bare(registry) as client:
        for era in ERAS:
            assert post(client, "resources/read", {"uri": "doc://odd"}, era=era).json()["error"]["code"] == -32603
    assert caplog.records


@pytest.mark.anyio
@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_the_sdks_own_client_lists_and_calls(mode):
    async with serving(Bare(UTILITIES, SecretsInHand())) as url, sdk_client(url, mode) as client:
        if mode != MODERN:  # a pinned client does not ask who the server is
            assert client.server_info.name == "mcpx"
        tools = await client.list_tools()
        assert {tool.name for tool in tools.tools} >= {"echo", "get_weather", "web_search"}
        result = await client.call_tool("echo", {"message": "ünï"})
        assert result.structured_content == {"message": "ünï"}
        assert result.is_error is False


@pytest.mark.anyio
@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_the_sdks_own_client_follows_progress(mode):
    seen = []

    async def note(progress, total, message):
        seen.append((progress, total, message))

    async with serving(Bare(REGISTRY, SecretsInHand())) as url, sdk_client(url, mode) as client:
        result = await client.call_tool("working", {}, progress_callback=note)
    assert result.content[0].text == "worked"
    assert seen == [(1, 2, "half way"), (2, 2, "done")]


@pytest.mark.anyio
async def test_the_sdks_own_client_answers_a_question():
    from mcp_types import ElicitResult

    async def answer(_context, params):
        return ElicitResult(action="accept", content={"value": params.message.upper()})

    async with (
        serving(Bare(REGISTRY, SecretsInHand())) as url,
        sdk_client(url, MODERN, elicitation_callback=answer) as client,
    ):
        result = await client.call_tool("asking", {"topic": "color"})
    assert result.content[0].text == "asked once: COLOR"


@pytest.mark.anyio
async def test_the_sdks_own_client_mirrors_arguments_in_headers():
    async with serving(Bare(REGISTRY, SecretsInHand())) as url, sdk_client(url, MODERN) as client:
        await client.list_tools()
        result = await client.call_tool("mirrored", {"region": "Zürich"})
    assert result.content[0].text == "Zürich"


@pytest.mark.anyio
@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_the_sdks_own_client_reads_the_library(mode):
    async with serving(Bare(LIBRARY, SecretsInHand())) as url, sdk_client(url, mode) as client:
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["greet"]
        assert (await client.get_prompt("greet", {"name": "Ada"})).messages[0].content.text == "Greet Ada"
        assert [item.uri for item in (await client.list_resources()).resources] == ["doc://manual", "doc://picture"]
        assert (await client.read_resource("order://1/text")).contents[0].text == "order 1"


def test_a_call_with_nothing_but_a_name_is_enough(client):
    body = message("tools/call", {"name": "refusing"})
    assert client.post("/mcp", json=body, headers=headers(body)).json()["result"]["isError"] is True
