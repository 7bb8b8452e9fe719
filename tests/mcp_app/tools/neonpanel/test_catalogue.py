"""Which NeonPanel tools a server lists, and what it says of each."""

import json
from typing import Any

import pytest

from mcp_app import wire
from mcp_app.neonpanel_settings import SERVICE_TOOLS
from mcp_app.settings import Settings, SettingsError
from mcp_app.tools.catalogue import catalogue
from mcp_app.tools.neonpanel.revenue_chart import URI

NAMES = {
    "createDocuments",
    "createDocumentsByPdf",
    "checkImportStatus",
    "getAccount",
    "getImportInstructions",
    "getInventoryCogs",
    "getInventoryDetails",
    "getInventoryLandedCost",
    "getLandedCost",
    "getRevenueAndCogs",
    "getWarehouseBalances",
    "listCompanies",
    "listInventoryItems",
    "listReports",
    "listWarehouses",
    "planPurchase",
    "searchOrders",
}
WRITING = {"createDocuments", "createDocumentsByPdf", "planPurchase"}
SCOPES = {
    "listCompanies": "read:companies",
    "listReports": "read:reports",
    "listInventoryItems": "read:inventory",
    "getInventoryDetails": "read:inventory",
    "getInventoryLandedCost": "read:landed-cost",
    "getLandedCost": "read:landed-cost",
    "getInventoryCogs": "read:cogs",
    "listWarehouses": "read:warehouses",
    "getWarehouseBalances": "read:warehouses",
    "getImportInstructions": "write:import",
    "createDocuments": "write:import",
    "createDocumentsByPdf": "write:import",
    "checkImportStatus": "write:import",
    "getRevenueAndCogs": "read:revenue",
}


def listed(**settings: Any) -> dict[str, dict[str, Any]]:
    """The NeonPanel tools as they are listed, by their names without `neonpanel_`."""
    registry = catalogue(Settings(neonpanel_tools=True, **settings))
    tools = [wire.listed_tool(tool, access="oauth") for tool in registry.tools]
    return {tool["name"].removeprefix("neonpanel_"): tool for tool in tools if tool["name"].startswith("neonpanel_")}


def test_without_the_setting_there_are_none() -> None:
    registry = catalogue(Settings())
    assert not [tool for tool in registry.tools if tool.name.startswith("neonpanel")]
    assert registry.resources == ()


def test_there_are_seventeen() -> None:
    assert listed().keys() == NAMES


@pytest.mark.parametrize("access", ["oauth", "provider", "noauth", None])
@pytest.mark.parametrize("scopes", [False, True])
def test_the_list_of_all_tools_is_small_whoever_asks(access: wire.Access | None, scopes: bool) -> None:
    registry = catalogue(Settings(neonpanel_tools=True, tool_scopes=scopes))
    tools = [wire.listed_tool(tool, access=access) for tool in registry.tools]
    assert len(json.dumps(tools, separators=(",", ":"), ensure_ascii=False)) < 32 * 1024


def test_three_write_and_none_deletes() -> None:
    hints = {name: tool["annotations"] for name, tool in listed().items()}
    assert {name for name, hint in hints.items() if not hint["readOnlyHint"]} == WRITING
    assert not any(hint["destructiveHint"] for hint in hints.values())
    assert {name for name, hint in hints.items() if not hint["idempotentHint"]} == WRITING
    assert all(hint["openWorldHint"] for hint in hints.values())


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_is_described_for_a_model(name: str) -> None:
    tool = listed()[name]
    assert 40 < len(tool["description"]) < 400
    assert tool["inputSchema"]["examples"]
    assert tool["outputSchema"]["type"] == "object"
    assert "$ref" not in str(tool)


def test_each_says_whose_rights_it_has() -> None:
    rights = {name: tool["_meta"]["auth"] for name, tool in listed().items()}
    assert {name for name, auth in rights.items() if auth == "service"} == set(SERVICE_TOOLS) == {"planPurchase"}
    assert {name for name, auth in rights.items() if auth == "user"} == NAMES - {"planPurchase"}


def test_settings_say_otherwise() -> None:
    tools = listed(neonpanel_tool_auth="getAccount=iat, planPurchase=user listReports=hybrid")
    assert [tools[name]["_meta"]["auth"] for name in ("getAccount", "planPurchase", "listReports")] == [
        "service",
        "user",
        "hybrid",
    ]


def test_a_star_stands_for_every_other_tool() -> None:
    rights = {
        name: tool["_meta"]["auth"] for name, tool in listed(neonpanel_tool_auth="*=service,getAccount=user").items()
    }
    assert {name for name, auth in rights.items() if auth != "service"} == {"getAccount"}


def test_a_setting_for_a_tool_that_there_is_not_stops_the_server() -> None:
    with pytest.raises(SettingsError, match="NEONPANEL_TOOL_AUTH names getAcount, and there is no such tool"):
        listed(neonpanel_tool_auth="getAcount=user")


def test_without_scopes_of_their_own_they_need_the_servers() -> None:
    needed = {name: tool["_meta"]["securitySchemes"][0]["scopes"] for name, tool in listed().items()}
    assert {name for name, scopes in needed.items() if scopes == ["mcp.tools"]} == WRITING
    assert {name for name, scopes in needed.items() if scopes == ["mcp.read"]} == NAMES - WRITING


def test_scopes_of_their_own_are_a_setting() -> None:
    needed = {name: tool["_meta"]["securitySchemes"][0]["scopes"] for name, tool in listed(tool_scopes=True).items()}
    assert {name: scopes for name, scopes in needed.items() if not scopes[0].startswith("mcp.")} == {
        name: [scope] for name, scope in SCOPES.items()
    }


def test_revenue_comes_with_its_chart() -> None:
    tool = listed()["getRevenueAndCogs"]
    assert tool["_meta"]["ui"] == {"resourceUri": URI}
    (chart,) = catalogue(Settings(neonpanel_tools=True)).resources
    assert chart.uri == URI


@pytest.mark.parametrize("dotted", [False, True])
def test_instructions_name_the_tools_as_they_are_listed(dotted: bool) -> None:
    registry = catalogue(Settings(neonpanel_tools=True))
    told = wire.instructions(registry, dotted=dotted) or ""
    assert len(told) <= wire.INSTRUCTIONS_LENGTH
    assert ("neonpanel.listCompanies" in told, "neonpanel_listCompanies" in told) == (dotted, not dotted)
