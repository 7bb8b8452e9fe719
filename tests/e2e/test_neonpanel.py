"""`mcpx serve --sandbox` and `mcpx lambda --sandbox`, by a client that knows their URL and nothing else."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import jsonschema
import pytest
from mcp import Client

from sandbox import SECRET_UPSTREAM_TEXT
from tests.support.command import Command, running
from tests.support.sandbox_client import signed_in

pytestmark = pytest.mark.anyio

COMPANY = "Lumen & Oak Ltd"
PERIOD = {"start_date": "2025-01-01", "end_date": "2025-03-31"}
BILL = {"vendor": "Acme", "date": "2026-01-02", "lines": [{"description": "Jars", "quantity": 10, "unit_price": 5}]}
LISTED = 32 * 1024
"""Bytes beyond which a list of tools is a burden on every conversation."""


@pytest.fixture(scope="module", params=["serve", "lambda"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    store = tmp_path_factory.mktemp("data") / "auth.db"
    with running(request.param, "--sandbox", env={"AUTH_DB_PATH": str(store)}) as command:
        yield command


def sandbox_of(server: Command) -> str:
    """The sandbox's URL, which the command tells."""
    found = re.search(r"break it on purpose, at\n\n +(http://\S+)/\n", server.output)
    assert found, server.output
    return found[1]


class Caller:
    """Calls tools, and holds each result to what the tool's listing says of it."""

    def __init__(self, client: Client, tools: dict[str, Any]) -> None:
        self._client = client
        self._schemas = tools
        self.called: set[str] = set()

    async def __call__(self, tool: str, /, **arguments: Any) -> Any:
        name = f"neonpanel_{tool}"
        self.called.add(name)
        result = await self._client.call_tool(name, arguments)
        assert not result.is_error, (tool, result.content)
        jsonschema.validate(result.structured_content, self._schemas[name].output_schema)
        return result.structured_content


@asynccontextmanager
async def caller(server: Command, person: str = "ann", mode: str = "2026-07-28") -> AsyncIterator[Caller]:
    async with signed_in(f"{server.url}/mcp", person, mode) as (client, _):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        yield Caller(client, tools)


async def call_all(call: Caller) -> None:
    """Each tool once, with what the tools before it gave, as a model would."""
    assert COMPANY in [company["name"] for company in (await call("listCompanies"))["items"]]
    assert (await call("listReports"))["items"]
    item = (await call("listInventoryItems", companyUuid=COMPANY, search="lamp"))["items"][0]
    warehouse = (await call("listWarehouses", companyUuid="lno"))["items"][0]["uuid"]
    of_item = {"companyUuid": COMPANY, "inventoryId": item["id"]}
    assert (await call("getInventoryDetails", **of_item))["inventory"]["id"] == item["id"]
    await call("getInventoryLandedCost", **of_item, warehouse_uuid=warehouse, start_date="2023-01-01")
    assert (await call("getInventoryCogs", **of_item, **PERIOD))["amount"] > 0
    assert (await call("getWarehouseBalances", companyUuid=COMPANY, warehouseUuid=warehouse))["items"]
    assert (await call("getRevenueAndCogs", **PERIOD, periodicity="monthly"))["totals"]
    assert (await call("getImportInstructions", type="bill"))["attributes"]
    assert (await call("createDocuments", companyUuid=COMPANY, type="bill", data=BILL))["documents"]
    link = {"name": "bill.pdf", "link": "https://files.example.com/bill.pdf"}
    begun = await call("createDocumentsByPdf", companyUuid=COMPANY, type="bill", **link)
    asked = {"companyUuid": COMPANY, "type": "bill", "requestId": begun["request_id"]}
    assert (await call("checkImportStatus", **asked))["next"].startswith("Wait ")
    assert (await call("checkImportStatus", **asked))["status"] == "done"
    assert (await call("getAccount", accountId="acc_ann"))["name"] == "Ann Whitaker"
    assert (await call("searchOrders", limit=5))["nextCursor"]
    assert (await call("getLandedCost", inventoryId=str(item["id"])))["currency"]
    assert (await call("planPurchase", sku=item["sku"], coverageDays=60, safetyStock=20))["sku"] == item["sku"]


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_whoever_signs_in_at_the_sandbox_calls_all_seventeen_tools(server: Command, mode: str) -> None:
    async with caller(server, mode=mode) as call:
        await call_all(call)
        assert len(call.called) == 17
        assert call.called == {name for name in call._schemas if name.startswith("neonpanel_")}


async def test_signing_in_leads_to_the_sandbox_and_nowhere_else(server: Command) -> None:
    async with signed_in(f"{server.url}/mcp") as (client, visit):
        assert (await client.call_tool("echo", {"message": "hello"})).structured_content == {"message": "hello"}
    assert visit.opened.startswith(f"{sandbox_of(server)}/oauth2/authorize?")


async def test_each_person_sees_their_own_companies(server: Command) -> None:
    async with caller(server, "ann") as ann, caller(server, "bob") as bob, caller(server, "carla") as carla:
        mine = [(await call("listCompanies"))["items"] for call in (ann, bob, carla, ann)]
        named = [{company["name"] for company in companies} for companies in mine]
    assert named[0] == named[3] == {COMPANY, "Lumen & Oak Europe GmbH"}
    assert named[1] == {"Harbor Lane Trading LLC"}
    assert not named[2] & (named[0] | named[1])


async def test_the_list_of_all_tools_is_small(server: Command) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    async with signed_in(f"{server.url}/mcp") as (client, visit), httpx2.AsyncClient(trust_env=False) as http:
        await client.list_tools()
        assert visit.storage.tokens is not None
        token = {"authorization": f"Bearer {visit.storage.tokens.access_token}"}
        listed = await http.post(f"{server.url}/mcp", json=body, headers=token)
    assert len(listed.json()["result"]["tools"]) == 22
    assert len(listed.content) < LISTED


async def test_the_instructions_say_how_the_tools_fit_together(server: Command) -> None:
    async with signed_in(f"{server.url}/mcp", mode="legacy") as (client, _):
        told = client.instructions or ""
        tools = {tool.name for tool in (await client.list_tools()).tools}
    assert len(told) <= 512
    named = set(re.findall(r"neonpanel_\w+", told))
    assert len(named) > 5
    assert named <= tools


FAULTS = [
    (
        "unauthorized",
        "sign_in_again",
        "NeonPanel no longer accepts your sign-in. Connect again and sign in to NeonPanel.",
    ),
    ("forbidden", "denied", "Your NeonPanel account may not do this, or may not see that company."),
    ("server-error", "fault", "NeonPanel has a fault at the moment. Try again later."),
    ("truncated", "broken_off", "NeonPanel broke off its answer. Try again later."),
    ("not-json", "odd_answer", "NeonPanel gave an answer that could not be understood. Try again later."),
]


@pytest.mark.parametrize(("fault", "code", "sentence"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
async def test_a_fault_is_told_in_our_words_alone(server: Command, fault: str, code: str, sentence: str) -> None:
    sandbox = sandbox_of(server)
    async with signed_in(f"{server.url}/mcp", "carla") as (client, visit), httpx2.AsyncClient(trust_env=False) as http:
        await client.list_tools()
        await http.post(f"{sandbox}/sandbox/faults", json={"area": "api", "fault": fault})
        try:
            result = await client.call_tool("neonpanel_listReports", {})
        finally:
            await http.post(f"{sandbox}/sandbox/heal", json={})
        assert (await client.call_tool("neonpanel_listReports", {})).structured_content["items"]
    assert result.is_error
    assert result.content[0].text.startswith(sentence)
    meta = result.meta or {}
    assert meta["mcpx/error"]["code"] == code
    assert ("mcp/www_authenticate" in meta) is (fault == "unauthorized")
    if fault == "unauthorized":
        assert 'error="invalid_token"' in meta["mcp/www_authenticate"][0]
    assert visit.storage.tokens is not None
    for told in (result.model_dump_json(), server.output):
        assert SECRET_UPSTREAM_TEXT not in told
        assert visit.storage.tokens.access_token not in told
        assert "/api/v1/" not in told


async def test_what_the_front_page_tells_is_what_the_requirements_expect(server: Command) -> None:
    sandbox = sandbox_of(server)
    async with httpx2.AsyncClient(trust_env=False, base_url=server.url) as http:
        info = (await http.get("/")).json()
        discovery = (await http.get(info["endpoints"]["oauth_discovery"])).json()
        deep = (await http.get("/healthz", params={"deep": 1})).json()
        upstream = (await http.get(f"{sandbox}/.well-known/oauth-authorization-server")).json()
    assert (info["name"], info["oauth"]) == ("neonpanel-mcp", {"issuer": sandbox, "required": True})
    assert discovery == upstream
    assert deep["status"] == "ok", json.dumps(deep)
    assert deep["jwks"]["keysFound"] == 1
