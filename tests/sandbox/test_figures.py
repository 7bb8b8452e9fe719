"""The figures of different endpoints agree with one another."""

from datetime import UTC, date, datetime

import pytest

from tests.sandbox.caller import API, companies, person

YEAR = {"start_date": "2025-01-01", "end_date": "2025-12-31"}


@pytest.fixture(scope="module")
def ann(served):
    with person(served, "ann") as client:
        yield client


@pytest.fixture(scope="module")
def company(ann):
    return companies(ann)[0]


def sales(ann, **query):
    return ann.get(f"{API}/revenue-and-cogs", params=query).json()["data"]


def total(rows, name="revenue_amount", currency="USD"):
    return pytest.approx(sum(row[name] for row in rows if row["currency"] == currency), abs=0.05)


def months(rows):
    return [date.fromisoformat(row["start_date"]) for row in rows]


def test_there_are_sales_in_every_month(ann, company):
    today = datetime.now(UTC).date()
    rows = sales(ann, start_date="2023-01-01", periodicity="monthly", company_uuids=company)
    expected = [date(year, month, 1) for year in range(2023, today.year + 1) for month in range(1, 13)]
    assert months(rows) == [month for month in expected if month <= today]
    assert all(row["revenue_amount"] > row["cogs_amount"] > 0 for row in rows)
    assert rows[-1]["end_date"] == str(today)


def test_the_year_has_seasons_and_the_company_grows(ann, company):
    rows = sales(ann, start_date="2023-01-01", end_date="2025-12-31", periodicity="monthly", company_uuids=company)
    revenue = {month: row["revenue_amount"] for month, row in zip(months(rows), rows, strict=True)}
    for year in (2023, 2024, 2025):
        assert revenue[date(year, 12, 1)] > 1.5 * revenue[date(year, 2, 1)]
    yearly = sales(ann, start_date="2023-01-01", end_date="2025-12-31", periodicity="yearly", company_uuids=company)
    assert [row["revenue_amount"] for row in yearly] == sorted(row["revenue_amount"] for row in yearly)


@pytest.mark.parametrize("periodicity", ["yearly", "quarterly", "monthly"])
@pytest.mark.parametrize("grouping", [["company"], ["country"], ["invoice"], ["company", "country", "invoice"]])
def test_groups_and_periods_sum_up(ann, periodicity, grouping):
    whole = sales(ann, **YEAR)
    rows = sales(ann, **YEAR, periodicity=periodicity, grouping=grouping)
    for currency in ("USD", "EUR"):
        for name in ("revenue_amount", "cogs_amount"):
            (one,) = [row[name] for row in whole if row["currency"] == currency]
            assert one == total(rows, name, currency)
    for group, member in {"company": "company", "country": "country_code", "invoice": "invoice"}.items():
        assert all((row[member] is not None) == (group in grouping) for row in rows)
    starts = {"yearly": 1, "quarterly": 4, "monthly": 12}
    assert len(set(months(rows))) == starts[periodicity]


def test_periods_end_where_the_next_begins(ann, company):
    rows = sales(ann, start_date="2025-01-20", end_date="2025-05-10", periodicity="quarterly", company_uuids=company)
    assert [(row["start_date"], row["end_date"]) for row in rows] == [
        ("2025-01-20", "2025-03-31"),
        ("2025-04-01", "2025-05-10"),
    ]


def test_companies_and_countries_narrow_the_sums(ann):
    both = [("company_uuids", uuid) for uuid in companies(ann)]
    query = [*YEAR.items(), *both, ("country_codes", "CA"), ("country_codes", "FR"), ("grouping", "country")]
    reply = ann.get(f"{API}/revenue-and-cogs", params=query).json()
    assert [(row["country_code"], row["currency"]) for row in reply["data"]] == [("CA", "USD"), ("FR", "EUR")]
    assert reply["filters"]["country_codes"] == ["CA", "FR"]
    assert reply["filters"]["company_uuids"] == companies(ann)
    assert sales(ann, start_date="2020-01-01", end_date="2022-12-31") == []


def test_the_items_cogs_are_the_companys(ann, company):
    path = f"{API}/companies/{company}/inventory-items"
    items = ann.get(path, params={"per_page": 60}).json()["data"]
    cogs = [ann.get(f"{path}/{item['id']}/cogs", params=YEAR).json() for item in items]
    (row,) = sales(ann, **YEAR, company_uuids=company)
    assert row["cogs_amount"] == pytest.approx(sum(found["amount"] for found in cogs), abs=0.05)


def test_an_items_cogs_are_those_of_its_invoices(ann, company):
    path = f"{API}/companies/{company}/inventory-items"
    item = ann.get(path).json()["data"][0]["id"]
    found = ann.get(f"{path}/{item}/cogs", params={**YEAR, "per_page": 60}).json()
    assert len(found["details"]) == 24
    assert found["amount"] == pytest.approx(sum(entry["amount"] for entry in found["details"]))
    assert found["quantity"] == sum(entry["quantity"] for entry in found["details"])
    for entry in found["details"]:
        assert entry["amount"] == pytest.approx(sum(part["amount"] for part in entry["details"]))


def test_a_warehouses_batches_sum_up(ann, company):
    place = f"{API}/companies/{company}"
    item = ann.get(f"{place}/inventory-items").json()["data"][0]["id"]
    batches = []
    for warehouse in ann.get(f"{place}/warehouses").json()["data"]:
        query = {"start_date": "2022-01-01", "end_date": "2025-12-31", "warehouse_uuid": warehouse["uuid"]}
        found = ann.get(f"{place}/inventory-items/{item}/landed-cost", params=query).json()
        assert found["amount"] == pytest.approx(sum(batch["amount"] for batch in found["data"]))
        assert found["quantity"] == sum(batch["quantity"] for batch in found["data"])
        for batch in found["data"]:
            assert batch["amount"] == pytest.approx(sum(part["amount"] for part in batch["details"]))
        batches += [batch["batch"]["ref_number"] for batch in found["data"]]
    assert len(batches) == len(set(batches)) == 13  # one a quarter, the first one before the books begin


@pytest.mark.parametrize("day", [None, "2024-06-30", "2022-12-31"])
def test_a_warehouse_holds_what_the_items_say(ann, company, day):
    place, query = f"{API}/companies/{company}", {"per_page": 60, **({"balances_date": day} if day else {})}
    held = {}
    for warehouse in ann.get(f"{place}/warehouses").json()["data"]:
        page = ann.get(f"{place}/warehouses/{warehouse['uuid']}/balances", params=query).json()
        held |= {(entry["inventory"]["id"], warehouse["uuid"]): entry["balance"] for entry in page["data"]}
    for item in ann.get(f"{place}/inventory-items", params={"per_page": 60}).json()["data"]:
        balances = ann.get(f"{place}/inventory-items/{item['id']}/balances", params=query).json()["balances_data"]
        for entry in balances["balances_list"]:
            assert held.get((item["id"], entry["warehouse"]["uuid"]), 0) == entry["balance"]
    assert bool(held) == (day != "2022-12-31")
