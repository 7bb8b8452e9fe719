"""What the NeonPanel tools make of what NeonPanel answers."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from mcp_app.clients.errors import OddAnswerError
from mcp_app.tools.neonpanel.analytics import Revenue, RevenueRow, Total
from mcp_app.tools.neonpanel.companies import CompanyPage
from mcp_app.tools.neonpanel.inventory import CogsPage, ItemDetails, ItemPage
from mcp_app.tools.neonpanel.records import Company, Item, read, read_page
from mcp_app.tools.neonpanel.warehouses import BalancePage
from mcp_app.tools.outcome import Outcome, Status
from sandbox import Sandbox, running
from tests.support.calls import text_of
from tests.support.neonpanel import LUMEN, PERIOD, tools

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.heal()
    shared.legacy_details = shared.instructions_as_text = False
    shared.requests.clear()
    return shared


def asked(sandbox: Sandbox, end: str) -> list[dict[str, list[str]]]:
    """The queries of the requests whose paths end so."""
    found = [request for request in sandbox.requests if request.path.endswith(end)]
    return [
        {name: [value for key, value in request.query if key == name] for name, _ in request.query} for request in found
    ]


def test_unknown_members_are_kept_and_those_of_another_type_are_null() -> None:
    company = read(Company, {"uuid": "u", "name": {"en": "Acme"}, "currency": 5, "since": "2019", "tags": ["a"]})
    assert company.model_dump(mode="json") == {
        "uuid": "u",
        "name": None,
        "short_name": None,
        "currency": "5",
        "timezone": None,
        "since": "2019",
        "tags": ["a"],
    }


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), (5.25, 5.25), ("5.25", 5.25), ("a lot", None), (True, None), ([5], None), ("NaN", None), (1e999, None)],
)
def test_a_number_is_one_or_null(value: Any, number: float | None) -> None:
    assert read(Item, {"id": value}).id == number


@pytest.mark.parametrize(
    "body", [None, "text", [], {}, {"data": "text"}, {"data": {}}, {"data": ["text"]}, {"data": [5]}]
)
def test_a_list_of_another_shape_is_no_answer(body: Any) -> None:
    with pytest.raises(OddAnswerError):
        read_page(CompanyPage, body, 1)


@pytest.mark.parametrize(
    ("page", "last", "following"), [(1, 3, 2), (3, 3, None), (1, None, None), ("1", "2", 2), (None, 9, 8), (4, 3, None)]
)
def test_a_page_says_which_is_next(page: Any, last: Any, following: int | None) -> None:
    found = read_page(CompanyPage, {"current_page": page, "last_page": last, "data": []}, asked=7)
    assert found.next_page == following
    assert found.model_dump(by_alias=True)["nextPage"] == following


def test_what_is_nested_and_odd_is_null_and_harms_nothing_else() -> None:
    details = read(ItemDetails, {"inventory": "lamp", "restock_data": [], "balances_data": {"balances_date": 5}})
    assert (details.inventory, details.restock_data) == (None, None)
    assert details.balances_data is not None
    assert details.balances_data.balances_list == ()
    with pytest.raises(OddAnswerError):
        read(ItemDetails, {"balances_data": {"balances_list": "none"}})


def test_the_sales_of_cogs_are_its_items() -> None:
    page = read_page(
        CogsPage, {"details": [{"document": {"ref_number": "I-1"}, "amount": 5}], "amount": 5}, 1, "details"
    )
    assert page.items[0].document is not None
    assert page.items[0].document.ref_number == "I-1"
    assert "details" not in (page.model_extra or {})


def test_a_table_holds_whatever_a_name_holds() -> None:
    page = read_page(ItemPage, {"data": [{"id": 7, "sku": "A|B", "name": "two\nlines <b> \\| [x](http://evil)"}]}, 1)
    head, line, row = page.text().split("\n")
    assert head == "|id|SKU|name|ASIN|FNSKU|country|"
    assert line == "|---|---|---|---|---|---|"
    assert row == r"|7|A\|B|two lines \<b> \\\| \[x](http://evil)||||"


def test_a_table_says_where_the_list_goes_on() -> None:
    body = {
        "current_page": 2,
        "last_page": 5,
        "data": [{"inventory": {"id": 1, "sku": "S", "name": "N"}, "balance": 2.5}],
    }
    assert read_page(BalancePage, body, 2).text().endswith("|1|S|N|2.5|\n\nPage 2 of 5; next page: 3.")
    assert read_page(BalancePage, {"data": [{"balance": 1}]}, 1).text().endswith("||||1|")
    assert read_page(BalancePage, {"data": []}, 1).text() == "Nothing found."
    assert read_page(BalancePage, {"current_page": 9, "last_page": 5, "data": []}, 9).text() == (
        "Nothing found on page 9: the last page is 5."
    )


@pytest.mark.parametrize(
    ("balance", "shown"),
    [
        (2.5, "2.5"),
        (1234567.5, "1234567.5"),
        (20.0, "20"),
        (100, "100"),
        (0.1 + 0.2, "0.3"),
        (-0.25, "-0.25"),
        (None, ""),
    ],
)
def test_a_number_in_a_table_has_all_its_digits(balance: float | None, shown: str) -> None:
    page = read_page(BalancePage, {"data": [{"balance": balance}]}, 1)
    assert page.text().endswith(f"||||{shown}|")


def revenue(*rows: dict[str, Any], totals: tuple[Total, ...] = ()) -> Revenue:
    items = tuple(read(RevenueRow, row) for row in rows)
    return Revenue(start_date="2025-01-01", periodicity="total", grouping=("company",), items=items, totals=totals)


def test_revenue_is_a_table_with_its_totals() -> None:
    row = {
        "start_date": "2025-01-01",
        "end_date": "2025-01-31",
        "revenue_amount": 1234567.5,
        "cogs_amount": None,
        "currency": "USD",
        "company": {"name": "Acme"},
        "country_code": "US",
        "invoice": {"ref_number": "INV-1"},
    }
    total = Total(currency="USD", revenue_amount=1234567.5, cogs_amount=0, gross_profit=1234567.5, margin_percent=100)
    assert revenue(row, totals=(total,)).text() == (
        "|from|to|of|revenue|COGS|currency|\n|---|---|---|---|---|---|\n"
        "|2025-01-01|2025-01-31|Acme, US, INV-1|1,234,567.50||USD|\n\n"
        "Total USD: revenue 1,234,567.50, COGS 0.00, gross profit 1,234,567.50 (100 %)"
    )
    assert revenue().text() == "No revenue and no COGS from 2025-01-01 to today."


def test_a_currency_is_text_wherever_it_stands() -> None:
    odd = [Total(currency=f"US{number}\n\n# ![x](http://evil)") for number in range(200)]
    text = revenue({"revenue_amount": 1}, totals=tuple(odd)).text()
    assert r"Total US0 # !\[x](http://evil): revenue unknown" in text
    assert "\n#" not in text
    assert text.count("Total") == 60


def test_a_long_table_is_counted_beyond_sixty_rows() -> None:
    text = revenue(*[{"revenue_amount": 1}] * 200).text()
    assert text.count("\n|") == 61
    assert "and 140 more rows" in text


async def test_currencies_are_never_added_up(sandbox: Sandbox) -> None:
    async with tools(sandbox) as made:
        result = await made.result("getRevenueAndCogs", {**PERIOD, "periodicity": "monthly"})
    totals = {total["currency"]: total for total in result["totals"]}
    assert totals.keys() == {"USD", "EUR"}
    for currency, total in totals.items():
        rows = [row for row in result["items"] if row["currency"] == currency]
        assert total["revenue_amount"] == pytest.approx(sum(row["revenue_amount"] for row in rows), abs=0.01)
        assert total["gross_profit"] == pytest.approx(total["revenue_amount"] - total["cogs_amount"], abs=0.01)
        assert total["margin_percent"] == pytest.approx(100 * total["gross_profit"] / total["revenue_amount"], abs=0.1)


async def test_revenue_is_asked_for_by_the_names_of_companies(sandbox: Sandbox) -> None:
    arguments = {
        "company_uuids": [LUMEN, "lumen & oak europe gmbh"],
        "country_codes": ["us", "De"],
        "grouping": ["company", "country"],
        "periodicity": "yearly",
        **PERIOD,
    }
    async with tools(sandbox) as made:
        uuids = [company["uuid"] for company in (await made.result("listCompanies"))["items"]]
        result = await made.result("getRevenueAndCogs", arguments)
    assert asked(sandbox, "/revenue-and-cogs") == [
        {
            "company_uuids": uuids,
            "country_codes": ["US", "DE"],
            "grouping": ["company", "country"],
            "periodicity": ["yearly"],
            "start_date": ["2025-01-01"],
            "end_date": ["2025-03-31"],
        }
    ]
    assert (result["grouping"], result["periodicity"]) == (["company", "country"], "yearly")


async def test_lists_go_on_page_by_page(sandbox: Sandbox) -> None:
    async with tools(sandbox) as made:
        names, page = [], 1
        while page:
            result = await made.result("listCompanies", {"page": page, "per_page": 20}, who="carla")
            names += [company["name"] for company in result["items"]]
            page = result["nextPage"]
    assert len(names) == len(set(names)) == 75
    assert asked(sandbox, "/companies") == [{"page": [str(page)], "per_page": ["20"]} for page in (1, 2, 3, 4)]


@pytest.mark.parametrize("legacy", [False, True])
async def test_an_items_stock_is_found_wherever_neonpanel_has_it(sandbox: Sandbox, legacy: bool) -> None:
    sandbox.legacy_details = legacy
    async with tools(sandbox) as made:
        item = (await made.result("listInventoryItems", {"companyUuid": LUMEN}))["items"][0]["id"]
        arguments = {"companyUuid": LUMEN, "inventoryId": item, "balances_date": "2025-06-30"}
        result = await made.result("getInventoryDetails", arguments)
    assert result["inventory"]["id"] == item
    assert result["balances_data"]["balances_date"] == "2025-06-30"
    assert [request.path.rpartition("/")[2] for request in sandbox.requests[-1 - legacy :]] == (
        ["balances", "details"] if legacy else ["balances"]
    )


async def test_an_item_that_is_not_there_is_not_there_in_the_old_place_either(sandbox: Sandbox) -> None:
    async with tools(sandbox) as made:
        outcome = await made.call("getInventoryDetails", {"companyUuid": LUMEN, "inventoryId": 1})
    assert text_of(outcome).startswith("NeonPanel does not have what was asked for. Check the ids")


@pytest.mark.parametrize("as_text", [False, True])
async def test_instructions_come_as_json_or_as_text(sandbox: Sandbox, as_text: bool) -> None:
    sandbox.instructions_as_text = as_text
    async with tools(sandbox) as made:
        result = await made.result("getImportInstructions", {"type": "bill"})
    assert bool(result["attributes"]) is not as_text
    assert len(result["general"]) > 20


async def test_an_import_says_what_to_do_next(sandbox: Sandbox) -> None:
    file = {"name": "bill.pdf", "link": "https://files.example.com/bill.pdf?sig=1"}
    async with tools(sandbox) as made:
        begun = await made.result("createDocumentsByPdf", {"companyUuid": LUMEN, "type": "bill", **file})
        of_import = {"companyUuid": LUMEN, "type": "bill", "requestId": begun["request_id"]}
        looked = [await made.result("checkImportStatus", of_import) for _ in range(2)]
    wait = begun["retry_after_seconds"]
    assert begun["next"] == f"Wait {wait} seconds, then call checkImportStatus with this request_id."
    assert [each["status"] for each in looked] == ["processing", "done"]
    assert [each["request_id"] for each in looked] == [begun["request_id"]] * 2
    assert looked[1]["next"].startswith("Nothing: it is done.")
    assert looked[1]["documents"][0]["type"] == "Bill"
    (sent,) = (json.loads(request.body) for request in sandbox.requests if request.path.endswith("/pdf"))
    assert sent == {"file": file}


@pytest.mark.parametrize(
    ("body", "pending", "after", "seconds", "advice"),
    [
        ({"status": "queued"}, True, None, 15, "Wait 15 seconds"),
        ({"status": "processing"}, False, 2.2, 3, "Wait 3 seconds"),
        ({}, True, 40, 40, "Wait 40 seconds"),
        ({"status": "error"}, False, None, None, "It failed."),
        ({"status": "done"}, False, 5, None, "Nothing: it is done."),
    ],
)
def test_a_status_becomes_advice(
    body: dict[str, Any], pending: bool, after: float | None, seconds: int | None, advice: str
) -> None:
    from mcp_app.tools.neonpanel.imports import import_of

    found = import_of(body, pending=pending, after=after, default=15)
    assert found.retry_after_seconds == seconds
    assert found.next.startswith(advice)


REFUSED = [
    ("listInventoryItems", {}, "companyUuid is required."),
    (
        "listInventoryItems",
        {"company_uuid": LUMEN, "companyUuid": LUMEN},
        "company_uuid is not known here; allowed: page",
    ),
    ("listInventoryItems", {"companyUuid": LUMEN, "per_page": 5}, "per_page should be greater than or equal to 10."),
    ("listInventoryItems", {"companyUuid": LUMEN, "country_code": "USA"}, "country_code should match pattern"),
    (
        "getInventoryCogs",
        {"companyUuid": LUMEN, "inventoryId": 1, "start_date": "1 May"},
        "start_date: give a date as YYYY",
    ),
    (
        "getInventoryCogs",
        {"companyUuid": LUMEN, "inventoryId": 1, "start_date": "2025-02-30"},
        "start_date: give a date as",
    ),
    (
        "getInventoryCogs",
        {"companyUuid": LUMEN, "inventoryId": 1, "start_date": "2025-02-02", "end_date": "2025-02-01"},
        "end_date is before start_date.",
    ),
    ("getInventoryDetails", {"companyUuid": LUMEN, "inventoryId": "lamp"}, "inventoryId should be a valid integer"),
    ("getRevenueAndCogs", {"start_date": "2025-01-01", "periodicity": "daily"}, "periodicity should be 'total',"),
    ("getRevenueAndCogs", {"start_date": "2025-01-01", "grouping": ["sku"]}, "grouping.0 should be 'company',"),
    ("getImportInstructions", {"type": "invoice"}, "type should be 'bill'."),
    ("createDocuments", {"companyUuid": LUMEN, "type": "bill", "data": {}}, "data should have at least 1 item."),
    ("planPurchase", {"sku": "S", "coverageDays": 0, "safetyStock": 0}, "coverageDays should be greater than or equal"),
    ("searchOrders", {"from": "yesterday"}, "from: give a date as YYYY-MM-DD."),
    ("searchOrders", {"from": "2026-01-02", "to": "2026-01-01"}, "to is before from."),
    ("getAccount", {"accountId": ".."}, 'accountId cannot be "..".'),
    *(
        (
            "createDocumentsByPdf",
            {"companyUuid": LUMEN, "type": "bill", "name": "b.pdf", "link": link},
            "link: give an https URL that NeonPanel can download.",
        )
        for link in (
            "http://files.example.com/b.pdf",
            "https://me:pw@files.example.com/b.pdf",
            "https:///b.pdf",
            "file:///etc/passwd",
            "https://files.example.com/b pdf",
            "https://[bad/b.pdf",
            "b.pdf",
        )
    ),
]


@pytest.mark.parametrize(("name", "arguments", "sentence"), REFUSED)
async def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    sandbox: Sandbox, name: str, arguments: dict[str, Any], sentence: str
) -> None:
    async with tools(sandbox) as made:
        outcome = await made.call(name, arguments)
    assert outcome.status is Status.INVALID
    assert text_of(outcome).startswith(sentence)
    assert sandbox.requests == []


async def test_every_structured_result_is_as_its_schema_says(sandbox: Sandbox) -> None:
    """The odd answers too: what NeonPanel leaves out or mistypes must not make our own result invalid."""
    async with tools(sandbox) as made:
        for tool in made.registry.tools:
            if tool.result is not None and tool.name.startswith("neonpanel.") and "required" not in tool.output_schema:
                bare = read(tool.result, {"unknown": 1}).model_dump(mode="json", by_alias=True)
                jsonschema.validate(bare, tool.output_schema)
        outcome: Outcome = await made.call("searchOrders", {"limit": 1})
    assert outcome.structured is not None
    assert outcome.structured["nextCursor"]


async def test_the_examples_that_models_read_work_in_the_sandbox(sandbox: Sandbox) -> None:
    async with tools(sandbox) as made:
        ours = [tool for tool in made.registry.tools if tool.name.startswith("neonpanel.")]
        for tool in ours:
            for example in tool.examples:
                outcome = await made.call(tool.name.removeprefix("neonpanel."), dict(example))
                # The id of an import is known only to whoever began it.
                expected = Status.FAILED if tool.name == "neonpanel.checkImportStatus" else Status.OK
                assert outcome.status is expected, (tool.name, outcome)
    assert sum(len(tool.examples) for tool in ours) >= 17


def test_an_unknown_amount_leaves_its_sum_unknown() -> None:
    from mcp_app.tools.neonpanel.analytics import totals

    rows = [
        read(RevenueRow, row)
        for row in (
            {"currency": "USD", "revenue_amount": 100, "cogs_amount": None},
            {"currency": "USD", "revenue_amount": 50, "cogs_amount": 20},
            {"currency": "EUR", "revenue_amount": 0, "cogs_amount": 5},
        )
    ]
    dollars, euros = totals(rows)
    assert (dollars.revenue_amount, dollars.cogs_amount) == (150, None)
    assert (dollars.gross_profit, dollars.margin_percent) == (None, None)
    assert (euros.gross_profit, euros.margin_percent) == (-5, None)
    assert (
        revenue({"currency": "USD"}, totals=(dollars,))
        .text()
        .endswith("Total USD: revenue 150.00, COGS unknown, gross profit unknown")
    )
