"""Who may send what: scopes for those who have a token, and what is open to those who have none."""

from collections.abc import Sequence

import pytest

from mcp_app.tools.content import Content, Text
from mcp_app.tools.context import ToolContext
from mcp_app.tools.registry import Registry
from mcp_app.tools.tool import Annotations, ForbiddenError, tool
from mcp_app.tools.utility.echo import echo
from tests.support.guarded import METADATA, Guarded
from tests.support.mcp_messages import ERAS, LEGACY, MODERN, headers, message
from tests.support.mcp_tools import Nothing
from tests.support.serve import connected

WRITES = Annotations(read_only=False, open_world=False)
BARE = f'Bearer realm="mcp", resource_metadata="{METADATA}", scope="mcp.read mcp.tools"'


@tool(title="Change", annotations=WRITES)
async def change(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """Changes something."""
    return [Text("changed")]


@tool(title="Import", annotations=WRITES, scopes=["write:import", "mcp.read"])
async def importing(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """Has scopes of its own."""
    return [Text("imported")]


@tool(title="Particular", annotations=Annotations(read_only=True, open_world=False))
async def particular(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """Finds only while it works that its caller may not."""
    raise ForbiddenError("Only accountants see the books.", ["books:read"])


@tool(title="Closed", annotations=Annotations(read_only=True, open_world=False))
async def closed(_arguments: Nothing, _context: ToolContext) -> Sequence[Content]:
    """Is closed to everybody."""
    raise ForbiddenError("Closed on Sundays.")


REGISTRY = Registry([echo, change, importing, particular, closed])


@pytest.fixture(scope="module")
def client():
    with connected(Guarded(REGISTRY, "mcp.read", "mcp.tools", "mcp.read+write:import", "other")) as client:
        yield client


@pytest.fixture(scope="module")
def public():
    with connected(Guarded(REGISTRY, "mcp.tools", public_discovery=True)) as client:
        yield client


def send(client, method, params=None, *, token=None, era=MODERN):
    body = message(method, params, era=era)
    authorization = {} if token is None else {"authorization": f"Bearer {token}"}
    return client.post("/mcp", json=body, headers={**headers(body, era=era), **authorization})


def call(client, name, *, token=None, era=MODERN):
    return send(client, "tools/call", {"name": name, "arguments": {}}, token=token, era=era)


@pytest.mark.parametrize(
    ("token", "name", "status"),
    [
        ("mcp.read", "particular", 200),
        ("mcp.read", "change", 403),
        ("mcp.tools", "particular", 200),
        ("mcp.tools", "change", 200),
        ("mcp.tools", "importing", 403),
        ("mcp.read+write:import", "importing", 200),
        ("mcp.read+write:import", "change", 403),
        ("other", "particular", 403),
    ],
)
@pytest.mark.parametrize("era", ERAS)
def test_a_tool_is_called_with_the_scopes_that_it_needs(client, era, token, name, status):
    assert call(client, name, token=token, era=era).status_code == status


@pytest.mark.parametrize("era", ERAS)
def test_too_few_scopes_are_a_403_that_names_all_that_the_call_needs(client, era):
    reply = call(client, "importing", token="mcp.read", era=era)
    sentence = "Import needs the permission mcp.read and write:import. Sign in to give it."
    assert reply.headers["www-authenticate"] == (
        f'Bearer realm="mcp", error="insufficient_scope", error_description="{sentence}", '
        f'resource_metadata="{METADATA}", scope="mcp.read write:import"'
    )
    assert reply.headers["cache-control"] == "no-store"
    result = reply.json()["result"]
    assert (reply.json()["id"], result["isError"], result.get("resultType")) == (
        7,
        True,
        "complete" if era == MODERN else None,
    )
    assert result["content"] == [{"type": "text", "text": sentence}]
    (challenge,) = result["_meta"]["mcp/www_authenticate"]
    assert challenge == (
        f'Bearer resource_metadata="{METADATA}", error="insufficient_scope", error_description="{sentence}", '
        'scope="mcp.read write:import"'
    )


def test_what_a_tool_refuses_by_itself_carries_the_challenge_in_band_alone(client):
    reply = call(client, "particular", token="mcp.read")
    result = reply.json()["result"]
    assert (reply.status_code, result["isError"]) == (200, True)
    assert "www-authenticate" not in reply.headers
    (challenge,) = result["_meta"]["mcp/www_authenticate"]
    assert challenge == (
        f'Bearer resource_metadata="{METADATA}", error="insufficient_scope", '
        'error_description="Only accountants see the books.", scope="books:read"'
    )


def test_a_refusal_that_no_scope_would_lift_asks_for_none(client):
    result = call(client, "closed", token="mcp.read").json()["result"]
    assert (result["isError"], "mcp/www_authenticate" in result.get("_meta", {})) == (True, False)


def test_listing_needs_a_scope_too_and_beginning_needs_none(client):
    assert send(client, "tools/list", token="other").status_code == 403
    assert send(client, "tools/list", token="other").json()["error"] == "insufficient_scope"
    assert send(client, "server/discover", token="other").status_code == 200
    assert send(client, "tools/list", token="mcp.read").status_code == 200


def test_without_a_token_nothing_is_read_of_the_message(client):
    reply = client.post("/mcp", content=b"not even JSON")
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, BARE)
    assert send(client, "initialize", era=LEGACY).status_code == 401


INITIALIZE = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}


@pytest.mark.parametrize(
    ("method", "params", "era"),
    [
        ("initialize", INITIALIZE, LEGACY),
        ("ping", None, LEGACY),
        ("tools/list", None, LEGACY),
        ("tools/list", None, MODERN),
        ("server/discover", None, MODERN),
    ],
)
def test_while_discovery_is_public_everybody_finds_out_what_there_is(public, method, params, era):
    reply = send(public, method, params, era=era)
    assert (reply.status_code, "result" in reply.json()) == (200, True)


def test_while_discovery_is_public_notifications_are_taken(public):
    body = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert public.post("/mcp", json=body, headers={"accept": "application/json, text/event-stream"}).status_code == 202


@pytest.mark.parametrize("method", ["resources/read", "prompts/get", "completion/complete", "no/such/method"])
def test_while_discovery_is_public_anything_else_needs_a_token(public, method):
    reply = send(public, method, {"uri": "x:y", "name": "z"})
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, BARE)
    assert reply.json()["error"] == "unauthorized"


@pytest.mark.parametrize("name", ["echo", "change", "no_such_tool"])
@pytest.mark.parametrize("era", ERAS)
def test_while_discovery_is_public_a_call_without_a_token_asks_to_sign_in(public, era, name):
    reply = call(public, name, era=era)
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, BARE)
    result = reply.json()["result"]
    assert (result["isError"], result["content"][0]["text"]) == (True, "Sign in to use this server's tools.")
    (challenge,) = result["_meta"]["mcp/www_authenticate"]
    assert challenge.startswith(f'Bearer resource_metadata="{METADATA}", error="insufficient_scope", ')


def test_while_discovery_is_public_a_bad_token_is_refused_everywhere(public):
    for method in ("initialize", "tools/list", "tools/call"):
        reply = send(public, method, {"name": "echo"}, token="forged")
        assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")
        assert 'error="invalid_token"' in reply.headers["www-authenticate"]


def test_a_good_token_calls_while_discovery_is_public(public):
    assert call(public, "change", token="mcp.tools").json()["result"]["isError"] is False


def test_each_tool_is_listed_with_what_a_call_needs(client):
    listed = send(client, "tools/list", token="mcp.read").json()["result"]
    assert {entry["name"]: entry["_meta"]["securitySchemes"] for entry in listed["tools"]} == {
        "echo": [{"type": "oauth2", "scopes": ["mcp.read"]}],
        "change": [{"type": "oauth2", "scopes": ["mcp.tools"]}],
        "importing": [{"type": "oauth2", "scopes": ["mcp.read", "write:import"]}],
        "particular": [{"type": "oauth2", "scopes": ["mcp.read"]}],
        "closed": [{"type": "oauth2", "scopes": ["mcp.read"]}],
    }
    assert listed["cacheScope"] == "private"
