"""MCP Apps: pages in which a host shows a tool's result, and nothing of them where there are none."""

import asyncio
import re
from dataclasses import replace

import pytest

from mcp_app import wire
from mcp_app.tools.neonpanel.revenue_chart import CHART, META, URI
from mcp_app.tools.registry import Registry
from mcp_app.tools.resource import APP_MIME_TYPE, Resource
from mcp_app.tools.utility.echo import echo
from tests.mcp_app.test_lean_import import CALL, run
from tests.support.mcp_messages import ERAS, LEGACY, MODERN, post
from tests.support.mcp_server import Bare, SecretsInHand
from tests.support.serve import connected, serving
from tests.support.tools import ROOT

EXTENSION = "io.modelcontextprotocol/ui"
HELLO = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
SHOWN = replace(echo, name="shown", meta=META)
UI = {
    "ui": {
        "csp": {"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []},
        "prefersBorder": True,
    }
}


async def manual():
    return "Read me."


MANUAL = Resource(uri="doc://manual", name="manual", read=manual, mime_type="text/plain", meta={"shelf": 3})


@pytest.fixture(scope="module")
def client():
    with connected(Bare(Registry([echo, SHOWN], [MANUAL, CHART]), SecretsInHand())) as client:
        yield client


def asked(client, method, params=None, *, era=MODERN):
    return post(client, method, params, era=era).json()["result"]


def capabilities(client, era):
    hello = asked(client, "server/discover") if era == MODERN else asked(client, "initialize", HELLO, era=LEGACY)
    return hello["capabilities"]


@pytest.mark.parametrize("era", ERAS)
def test_a_server_with_an_app_says_so(client, era):
    assert capabilities(client, era)["extensions"] == {EXTENSION: {}}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("resources", [[], [MANUAL]])
def test_a_server_without_an_app_says_nothing_of_them(era, resources):
    with connected(Bare(Registry([echo], resources), SecretsInHand())) as client:
        assert "extensions" not in capabilities(client, era)


@pytest.mark.parametrize("era", ERAS)
def test_an_app_is_listed_with_what_its_host_needs(client, era):
    _, app = asked(client, "resources/list", era=era)["resources"]
    assert (app["uri"], app["mimeType"], app["_meta"]) == (URI, APP_MIME_TYPE, UI)


@pytest.mark.parametrize("era", ERAS)
def test_an_app_is_read_with_its_policy(client, era):
    result = asked(client, "resources/read", {"uri": URI}, era=era)
    page = (ROOT / "src/mcp_app/tools/neonpanel/revenue_chart.html").read_text("utf-8")
    assert result["contents"] == [{"uri": URI, "mimeType": APP_MIME_TYPE, "text": page, "_meta": UI}]


@pytest.mark.parametrize("era", ERAS)
def test_what_is_no_app_is_read_as_ever(client, era):
    result = asked(client, "resources/read", {"uri": "doc://manual"}, era=era)
    assert result["contents"] == [{"uri": "doc://manual", "mimeType": "text/plain", "text": "Read me."}]


@pytest.mark.parametrize("era", ERAS)
def test_a_tool_names_its_app_in_both_dialects(client, era):
    plain, shown = asked(client, "tools/list", era=era)["tools"]
    assert shown["_meta"]["ui"] == {"resourceUri": URI}
    assert shown["_meta"]["openai/outputTemplate"] == URI
    assert "ui" not in plain["_meta"]


def test_an_app_never_changes_so_a_subscription_is_granted(client):
    assert asked(client, "resources/subscribe", {"uri": URI}, era=LEGACY) == {}


@pytest.mark.parametrize("resources", [[], [MANUAL], [replace(CHART, uri="ui://neonpanel/another.html")]])
def test_a_tool_whose_app_is_not_there_is_refused(resources):
    with pytest.raises(ValueError, match=f"shown is shown in {URI}, which is no app"):
        Registry([SHOWN], resources)


def test_an_app_under_another_scheme_is_none():
    elsewhere = replace(echo, meta={"ui": {"resourceUri": "doc://manual"}})
    with pytest.raises(ValueError, match="no app of this registry"):
        Registry([elsewhere], [MANUAL])


@pytest.mark.parametrize("mime_type", [None, "text/html", "text/html+skybridge"])
def test_an_app_of_another_type_is_refused(mime_type):
    with pytest.raises(ValueError, match=f"must be {APP_MIME_TYPE}"):
        Registry([echo], [replace(CHART, mime_type=mime_type)])


def test_a_tool_may_say_who_sees_it_without_an_app():
    assert Registry([replace(echo, meta={"ui": {"visibility": ["model"]}})]).tools


def test_the_page_is_read_once():
    assert asyncio.run(CHART.read()) is asyncio.run(CHART.read())


def test_the_page_is_small_and_asks_nobody_for_anything():
    page = asyncio.run(CHART.read())
    assert len(page.encode()) < 14 * 1024
    assert re.findall(r"https?://[^'\"]*", page) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval|fetch|import|url\(|src=", page)


def test_the_names_are_the_sdks():
    code = """
        from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
        print(json.dumps([APP_MIME_TYPE, EXTENSION_ID]))
    """
    assert run(code)[0] == [APP_MIME_TYPE, wire.APPS_EXTENSION]


@pytest.mark.parametrize("era", ["MODERN", "LEGACY"])
def test_a_server_without_apps_imports_nothing_of_them(era):
    modules, _ = run(CALL.format(era=era))
    ours = {"mcp_app.transport.extensions", "mcp_app.tools.neonpanel.revenue_chart"}
    assert not {"mcp.server.apps", "mcp.server.extension", *ours} & set(modules)


def test_a_server_with_an_app_imports_nothing_more_of_the_sdk():
    code = """
        from tests.support.mcp_direct import *
        from mcp_app.tools.neonpanel.revenue_chart import CHART, META
        from dataclasses import replace

        def started(registry):
            mcp = StreamableHTTP(registry, Settings(auth_mode="noauth", lean_import=True), None, NoSecrets())

            async def ask():
                async with mcp.run():
                    return await answer(mcp, "tools/call", ECHO, MODERN)

            assert not asyncio.run(ask())["result"]["isError"]
            return set(sys.modules)

        without = started(Registry([echo]))
        print(json.dumps(sorted(started(Registry([replace(echo, meta=META)], [CHART])) - without)))
    """
    assert run(code)[0] == ["mcp_app.transport.extensions"]


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_sdks_own_client_finds_the_app(mode):
    from mcp.client import Client

    app = Bare(Registry([SHOWN], [CHART]), SecretsInHand())
    async with serving(app) as url, Client(f"{url}/mcp", mode=mode) as client:
        if mode == "auto":  # the client's own schema of the handshake has no extensions
            assert client.server_capabilities.extensions == {EXTENSION: {}}
        [tool] = (await client.list_tools()).tools
        [page] = (await client.read_resource(tool.meta["ui"]["resourceUri"])).contents
    assert (page.mime_type, page.meta) == (APP_MIME_TYPE, UI)
    assert page.text.startswith("<!doctype html>")
