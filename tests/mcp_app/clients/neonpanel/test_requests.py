"""Nothing that we send departs from NeonPanel's own OpenAPI documents."""

import asyncio
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from mcp_app.settings import Settings
from mcp_app.tools.catalogue import catalogue
from mcp_app.tools.outcome import Status
from sandbox import Received, Sandbox
from sandbox.data.company import LUMEN, LUMEN_EUROPE
from sandbox.data.warehouse import warehouses
from tests.mcp_app.clients.neonpanel.double import Double, answers, double
from tests.mcp_app.clients.neonpanel.openapi import Document
from tests.support.neonpanel import person, sent, tools

pytestmark = pytest.mark.anyio

DATA = Path(__file__).parents[5] / "shared" / "data"
DOCUMENTS = ("neonpanel-openapi-1.0.1.yaml", "neonpanel-openapi-1.2.0-beta.json")
published = pytest.mark.skipif(not DATA.is_dir(), reason=f"NeonPanel's documents are kept outside, in {DATA}")

UNPUBLISHED = {
    "getAccount": "/api/v1/accounts/",
    "searchOrders": "/api/v1/orders",
    "getLandedCost": "/api/v1/landed-cost",
    "planPurchase": "/api/v1/purchase-plans",
}
"""The tools that are in no document, and where they are: their paths are settings."""

ITEM = 101001
PLACE = warehouses(LUMEN)[0].uuid
COMPANY = {"companyUuid": LUMEN.uuid}
PAGES = [{"page": 2}, {"per_page": 10}, {"per_page": 60}, {"page": 3, "per_page": 25}]
DAYS = {"start_date": "2025-01-01"}
BILL = {"vendor": "Acme", "date": "2025-02-01", "lines": [{"description": "Freight", "quantity": 1, "unit_price": 9}]}

CALLS: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    # by tool: the arguments that it needs, and what may be added to them, in turn
    "listCompanies": ({}, PAGES),
    "listReports": ({}, []),
    "listInventoryItems": (
        COMPANY,
        [
            *PAGES,
            {"search": "lamp"},
            {"search": "Ö & ü=1?#%2F+ 'x'"},
            {"sku": "LNO-LAMP-BRS-US"},
            {"asin": "B01"},
            {"fnsku": "X001"},
            {"country_code": "US"},
        ],
    ),
    "getInventoryDetails": (COMPANY | {"inventoryId": ITEM}, [{"balances_date": "2025-01-31"}]),
    "getInventoryLandedCost": (
        COMPANY | DAYS | {"inventoryId": ITEM, "warehouse_uuid": PLACE},
        [*PAGES, {"end_date": "2025-06-30"}],
    ),
    "getInventoryCogs": (COMPANY | DAYS | {"inventoryId": ITEM}, [*PAGES, {"end_date": "2025-06-30"}]),
    "listWarehouses": (COMPANY, [*PAGES, {"search": "water"}]),
    "getWarehouseBalances": (COMPANY | {"warehouseUuid": PLACE}, [*PAGES, {"balances_date": "2025-01-31"}]),
    "getRevenueAndCogs": (
        DAYS,
        [
            {"end_date": "2025-06-30"},
            {"company_uuids": [LUMEN.uuid]},
            {"company_uuids": [LUMEN.name, LUMEN_EUROPE.short_name]},
            {"country_codes": ["US"]},
            {"country_codes": ["US", "CA", "DE"]},
            *({"grouping": [one]} for one in ("company", "country", "invoice")),
            {"grouping": ["company", "country", "invoice"]},
            *({"periodicity": one} for one in ("total", "yearly", "quarterly", "monthly")),
        ],
    ),
    "getImportInstructions": ({"type": "bill"}, []),
    "createDocuments": (
        COMPANY | {"type": "bill", "data": BILL},
        [{"data": BILL | {"number": "B-17", "x": [1, None]}}],
    ),
    "createDocumentsByPdf": (
        COMPANY | {"type": "bill", "name": "bill.pdf", "link": "https://files.example/b.pdf?signature=a%2Fb"},
        [{"name": "Rechnung März.pdf"}],
    ),
    "checkImportStatus": (COMPANY | {"type": "bill", "requestId": "550e8400-e29b-41d4-a716-446655440000"}, []),
    "getAccount": ({"accountId": "acc_ann"}, []),
    "searchOrders": (
        {},
        [{"q": "lamp"}, {"from": "2025-01-01"}, {"to": "2025-02-01"}, {"limit": 100}, {"cursor": "YWZ0ZXI6MQ=="}],
    ),
    "getLandedCost": ({"inventoryId": str(ITEM)}, [{"batchId": "B-1"}]),
    "planPurchase": ({"sku": "LNO-LAMP-BRS-US", "coverageDays": 60, "safetyStock": 5}, []),
}


def variants(tool: str) -> Iterator[dict[str, Any]]:
    """The arguments of a tool: those that it needs, each other one in turn, and all at once."""
    needed, others = CALLS[tool]
    yield needed
    yield from (needed | other for other in others)
    if others:
        every: dict[str, Any] = dict(needed)
        for other in others:
            every |= other
        yield every


@cache
def document(name: str) -> Document:
    return Document(DATA / name)


async def requests_of(tool: str, sandbox: Sandbox) -> list[Received]:
    """What the API receives of all calls of a tool."""
    async with tools(sandbox) as server:
        await asyncio.gather(*(server.call(tool, arguments) for arguments in variants(tool)))
    return sent(sandbox)


def test_every_argument_of_every_tool_is_among_the_calls(sandbox: Sandbox) -> None:
    registry = catalogue(Settings.from_environment(sandbox.settings()))
    offered = {tool.name: tool for tool in registry.tools if tool.name.startswith("neonpanel.")}
    assert offered.keys() == {f"neonpanel.{name}" for name in CALLS}
    assert len(offered) == 17
    for name, tool in offered.items():
        used = {argument for call in variants(name.removeprefix("neonpanel.")) for argument in call}
        assert used == tool.input_schema["properties"].keys()


def moved(request: Received) -> bool:
    """Whether it is one for an item's balances, where each document knows another of the two places."""
    return "/inventory-items/" in request.path and request.path.endswith(("/balances", "/details"))


@published
@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("tool", sorted(CALLS.keys() - UNPUBLISHED.keys()))
async def test_no_request_departs_from_the_documents(tool: str, name: str, sandbox: Sandbox) -> None:
    sandbox.legacy_details = True
    requests = await requests_of(tool, sandbox)
    held = [one for one in requests if not moved(one) or document(name).knows(one.method, one.path)]
    assert len(held) >= len(list(variants(tool)))
    assert [departure for request in held for departure in document(name).departures(request)] == []
    assert {request.status for request in held} <= {200, 202, 404, 422}


@published
async def test_an_items_balances_are_asked_for_where_either_document_has_them(sandbox: Sandbox) -> None:
    sandbox.legacy_details = True
    paths = {request.path for request in await requests_of("getInventoryDetails", sandbox) if moved(request)}
    known = {path.rpartition("/")[2]: [document(name).knows("GET", path) for name in DOCUMENTS] for path in paths}
    assert known == {"details": [True, False], "balances": [False, True]}


@published
@pytest.mark.parametrize("tool", sorted(UNPUBLISHED))
async def test_what_no_document_knows_is_where_its_setting_says(tool: str, sandbox: Sandbox) -> None:
    requests = await requests_of(tool, sandbox)
    assert requests
    for request in requests:
        assert request.path.startswith(UNPUBLISHED[tool])
        assert not [name for name in DOCUMENTS if document(name).knows(request.method, request.path)]


MOVED = {
    "neonpanel_account_path": ("getAccount", "/v2/people/{accountId}/account", "/api/v1/v2/people/acc_ann/account"),
    "neonpanel_orders_path": ("searchOrders", "/sales/orders", "/api/v1/sales/orders"),
    "neonpanel_landed_cost_path": ("getLandedCost", "/costs", "/api/v1/costs"),
    "neonpanel_purchase_plans_path": ("planPurchase", "/plans", "/api/v1/plans"),
}


@pytest.mark.parametrize("setting", MOVED)
async def test_a_setting_moves_what_no_document_knows(setting: str, sandbox: Sandbox) -> None:
    tool, path, expected = MOVED[setting]
    async with tools(sandbox, **{setting: path}) as server:
        outcome = await server.call(tool, CALLS[tool][0])
    assert [request.path for request in sent(sandbox)] == [expected]
    assert outcome.error is not None
    assert outcome.error["code"] == "not_offered"


@published
@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_departs_is_found(name: str) -> None:
    """The judge is just: each of these is a departure."""
    good = {"accept": "application/json", "authorization": "Bearer x"}
    item = "/api/v1/companies/c/inventory-items"
    post = good | {"content-type": "application/json"}

    def departures(
        path: str, query: str = "", method: str = "GET", headers: Any = None, body: bytes = b""
    ) -> list[str]:
        pairs = [tuple(pair.split("=")) for pair in query.split("&") if pair]
        return document(name).departures(Received("api", method, path, pairs, headers or good, body))  # type: ignore[arg-type]

    paged = "page=1&per_page=30"
    assert not departures(item, paged)
    assert departures(item)
    assert departures(item, "page=1")
    assert departures(item, "page=0&per_page=30")
    assert departures(item, "page=1&per_page=61")
    assert departures(item, "page=one&per_page=30")
    assert departures(item, f"{paged}&page=2")
    assert departures(item, f"{paged}&country_code=USA")
    assert departures(item, f"{paged}&colour=red")
    assert departures(item, paged, headers={"accept": "application/json"})
    assert departures(item, paged, headers=good | {"accept": "*/*"})
    assert departures(item, paged, method="PATCH")
    assert departures(item, paged, body=b"{}")
    assert not departures(f"{item}/7/cogs", f"{paged}&start_date=2025-01-01")
    assert departures(f"{item}/7/cogs", paged)
    assert departures(f"{item}/7/cogs", f"{paged}&start_date=2025-1-1")
    assert departures(f"{item}/seven/cogs", f"{paged}&start_date=2025-01-01")
    assert departures("/api/v1/revenue-and-cogs", "start_date=2025-01-01&grouping=day")
    assert departures("/api/v1/revenue-and-cogs", "start_date=2025-01-01&grouping[]=company")
    assert departures("/api/v1/revenue-and-cogs", "start_date=2025-01-01&periodicity=total&periodicity=yearly")
    assert departures("/api/v1/import/invoice/instructions")
    create = "/api/v1/companies/c/create/bill"
    assert not departures(create, method="POST", headers=post, body=b'{"data": {}}')
    assert departures(create, method="POST", headers=post, body=b'{"data": []}')
    assert departures(create, method="POST", headers=post, body=b'{"data": {}, "more": 1}')
    assert departures(create, method="POST", headers=post, body=b"{}")
    assert departures(create, method="POST", headers=good, body=b'{"data": {}}')
    pdf = "/api/v1/companies/c/import/bill/pdf"
    assert departures(pdf, method="POST", headers=post, body=b'{"file": {"name": "x"}}')
    assert departures(pdf, method="POST", headers=post, body=b'{"file": {"name": "x", "link": "y", "size": 7}}')


async def test_several_values_repeat_their_name(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        several = {"company_uuids": ["LNO", "LOE"], "country_codes": ["US", "DE"], "grouping": ["company", "country"]}
        await server.result("getRevenueAndCogs", DAYS | several)
    assert sorted(sent(sandbox, "/revenue-and-cogs")[0].query) == sorted(
        [
            ("company_uuids", LUMEN.uuid),
            ("company_uuids", LUMEN_EUROPE.uuid),
            ("country_codes", "US"),
            ("country_codes", "DE"),
            ("grouping", "company"),
            ("grouping", "country"),
            ("periodicity", "total"),
            ("start_date", "2025-01-01"),
        ]
    )


async def test_what_was_not_given_is_not_sent(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        await server.result("listInventoryItems", COMPANY)
    assert sent(sandbox, "/inventory-items")[0].query == [("page", "1"), ("per_page", "30")]


async def test_a_read_has_no_body_and_says_what_it_takes(sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        await server.result("listReports")
    (request,) = sent(sandbox)
    assert request.body == b""
    assert request.headers["accept"] == "application/json"
    assert "content-type" not in request.headers


ESCAPING = ("..", ".", " .. ")
ODD_SEGMENTS = (
    "a/b",
    "../../oauth2/token",
    "..%2f..",
    "%2e%2e",
    "%2e%2e%2faccounts",
    "..;",
    "...",
    "a\\b",
    "..\\..",
    "a?b=c",
    "a#b",
    "a b",
    "a;b=c",
    "a&b",
    "@host",
    "//host",
    "http://host/",
    "{companyUuid}",
    "Ö ключ 🗝",
    "\x7f",
    "a\r\nx-forged: 1",
    "\x00",
    "%",
    "%zz",
    "+",
)


def raw_paths(upstream: Double) -> list[str]:
    """The API's paths as they came, undecoded."""
    return [request.scope["raw_path"].decode("ascii") for request in upstream.at("/api/")]


BY_ID = [
    ("getAccount", {}, "accountId", "/api/v1/accounts/*"),
    ("getWarehouseBalances", {"companyUuid": "c1"}, "warehouseUuid", "/api/v1/companies/c1/warehouses/*/balances"),
    (
        "checkImportStatus",
        {"companyUuid": "c1", "type": "bill"},
        "requestId",
        "/api/v1/companies/c1/import/bill/status/*",
    ),
    ("listWarehouses", {}, "companyUuid", "/api/v1/companies/*/warehouses"),
    ("createDocuments", {"type": "bill", "data": BILL}, "companyUuid", "/api/v1/companies/*/create/bill"),
]
"""By tool: its other arguments, the one that is a segment of its path, and that path."""


def of_a_user_without_companies(upstream: Double) -> dict[str, Any]:
    """Settings of a NeonPanel that lists no companies, so that what is given for one is taken as it is."""
    permissions = ["read:accounts", "read:inventory", "read:warehouses", "write:import"]
    upstream.introspect = answers({"active": True, "permissions": permissions, "exp": 4e9})
    return upstream.introspecting()


@pytest.mark.parametrize(("tool", "others", "argument", "path"), BY_ID, ids=[row[0] for row in BY_ID])
async def test_what_comes_in_a_path_stays_one_segment_of_it(
    *, tool: str, others: dict[str, Any], argument: str, path: str, sandbox: Sandbox
) -> None:
    who = person(sandbox)
    async with double() as upstream, tools(sandbox, **of_a_user_without_companies(upstream)) as server:
        for value in ODD_SEGMENTS:
            await server.call(tool, others | {argument: value}, who)
        arrived = raw_paths(upstream)
    before, after = path.split("*")
    assert [one.startswith(before) and one.endswith(after) for one in arrived] == [True] * len(ODD_SEGMENTS)
    segments = [one[len(before) : len(one) - len(after)] for one in arrived]
    assert [unquote(segment) for segment in segments] == [value.strip() for value in ODD_SEGMENTS]
    assert not [segment for segment in segments if set(segment) & set("/\\?#;&@: ")]


@pytest.mark.parametrize(("tool", "others", "argument", "path"), BY_ID, ids=[row[0] for row in BY_ID])
async def test_what_would_lead_elsewhere_is_refused_and_not_sent(
    *, tool: str, others: dict[str, Any], argument: str, path: str, sandbox: Sandbox
) -> None:
    async with double() as upstream, tools(sandbox, **of_a_user_without_companies(upstream)) as server:
        outcomes = [await server.call(tool, others | {argument: value}) for value in (*ESCAPING, "", "  ", "x" * 101)]
        assert raw_paths(upstream) == []
    assert {outcome.status for outcome in outcomes} == {Status.INVALID}


@pytest.mark.parametrize("value", ["../7", "7/..", "7 ", -1, 7.5, True, None, [7], "", "\u0667"])
async def test_an_items_id_is_a_number(value: Any, sandbox: Sandbox) -> None:
    async with double() as upstream, tools(sandbox, **of_a_user_without_companies(upstream)) as server:
        outcome = await server.call("getInventoryDetails", {"companyUuid": "c1", "inventoryId": value})
        arrived = raw_paths(upstream)
    assert outcome.status is Status.INVALID or arrived[0].split("/")[-2].isdecimal()


@pytest.mark.parametrize("kind", ["../bill", "bill/..", "invoice", "", "Bill"])
async def test_a_kind_of_document_is_one_that_there_is(kind: str, sandbox: Sandbox) -> None:
    async with tools(sandbox) as server:
        outcome = await server.call("getImportInstructions", {"type": kind})
    assert outcome.status is Status.INVALID
    assert not sandbox.requests
