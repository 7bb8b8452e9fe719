"""Every endpoint, for each of those who may call it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.caller import API, companies, person, service, visitor

SINCE = {"start_date": "2024-01-01", "end_date": "2024-12-31"}


@pytest.fixture(scope="module")
def people(served):
    """A client of each person and of the service."""
    clients = {user: person(served, user) for user in ("ann", "bob", "carla")}
    clients["service"] = service(served)
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture(scope="module")
def first(people):
    """What each person's first company has: its id, an item's and a warehouse's."""

    def of(client):
        place = f"{API}/companies/{companies(client)[0]}"
        item = client.get(f"{place}/inventory-items").json()["data"][0]
        warehouse = client.get(f"{place}/warehouses").json()["data"][0]
        return {"place": place, "item": item["id"], "sku": item["sku"], "warehouse": warehouse["uuid"]}

    return {user: of(client) for user, client in people.items()}


def reads(found):
    """The requests that read something of a company."""
    place = found["place"]
    item = f"{place}/inventory-items/{found['item']}"
    return {
        f"{place}/inventory-items": {},
        f"{item}/balances": {},
        f"{item}/landed-cost": {"warehouse_uuid": found["warehouse"], **SINCE},
        f"{item}/cogs": SINCE,
        f"{place}/warehouses": {},
        f"{place}/warehouses/{found['warehouse']}/balances": {},
        "/api/v1/landed-cost": {"inventoryId": found["item"]},
        "/api/v1/revenue-and-cogs": {"company_uuids": place.rpartition("/")[2], **SINCE},
    }


def statuses(client, found):
    return {client.get(path, params=query).status_code for path, query in reads(found).items()}


@pytest.mark.parametrize("user", ["ann", "bob", "carla", "service"])
def test_everybody_reads_what_is_theirs(people, first, user):
    client = people[user]
    assert statuses(client, first[user]) == {200}
    assert client.get(f"{API}/reports").json()["count"] == 12
    assert client.get(f"{API}/import/bill/instructions").status_code == 200
    assert client.get(f"{API}/orders").json()["items"]


def test_nobody_reads_what_is_somebody_elses(people, first):
    for user in ("ann", "bob", "carla"):
        for owner in {"ann", "bob", "carla"} - {user}:
            assert statuses(people[user], first[owner]) == {403}
            assert people[user].get(f"{API}/accounts/acc_{owner}").status_code == 403
            plan = {"sku": first[owner]["sku"], "coverageDays": 30, "safetyStock": 0}
            assert people[user].post(f"{API}/purchase-plans", json=plan).status_code == 404


def test_nobody_writes_what_is_somebody_elses(people, first):
    place = first["ann"]["place"]
    for path in ("create/bill", "import/bill/pdf"):
        assert people["bob"].post(f"{place}/{path}", json={}).status_code == 403
    assert people["bob"].get(f"{place}/import/bill/status/x").status_code == 404


def test_the_service_reads_everything(people, first):
    for user in ("ann", "bob", "carla"):
        assert statuses(people["service"], first[user]) == {200}
        assert people["service"].get(f"{API}/accounts/acc_{user}").json()["email"] == f"{user}@example.com"


def test_everybody_sees_their_companies_alone(people):
    seen = {user: set(companies(client)) for user, client in people.items()}
    assert {user: len(found) for user, found in seen.items()} == {"ann": 2, "bob": 1, "carla": 75, "service": 78}
    assert not seen["ann"] & seen["bob"]
    assert not seen["ann"] & seen["carla"]
    assert seen["service"] == seen["ann"] | seen["bob"] | seen["carla"]


def test_bob_is_told_nothing_of_anns(people):
    for path in ("companies", "orders", "accounts/acc_bob", "revenue-and-cogs?start_date=2023-01-01"):
        assert "Lumen" not in people["bob"].get(f"{API}/{path}").text
    orders = people["bob"].get(f"{API}/orders", params={"limit": 100}).json()["items"]
    assert {order["orderId"][:3] for order in orders} == {"HLT"}


def test_without_a_good_token_there_is_nothing(served, first):
    for value in ("", "Bearer x", f"Basic {served.access_token()}", f"Bearer {served.access_token('ann')}"):
        with visitor(served, Authorization=value) as client:
            assert statuses(client, first["ann"]) == {401}
            assert client.get(f"{API}/companies").json() == {"message": "Unauthenticated."}


def test_what_is_not_there_is_not_found(people, first):
    place, item = first["ann"]["place"], first["ann"]["item"]
    for path in (
        f"{API}/nothing",
        f"{API}/accounts/acc_nobody",
        f"{API}/companies/unknown/warehouses",
        f"{place}/inventory-items/1/balances",
        f"{place}/inventory-items/{'9' * 30}/balances",
        f"{place}/inventory-items/x/cogs?start_date=2024-01-01",
        f"{place}/inventory-items/{first['bob']['item']}/balances",
        f"{place}/inventory-items/{item}/nothing",
        f"{place}/inventory-items/{item}/details",
        f"{place}/inventory-items/{item}/landed-cost?start_date=2024-01-01&warehouse_uuid=x",
        f"{place}/warehouses/{first['bob']['warehouse']}/balances",
        f"{API}/landed-cost?inventoryId=1",
        f"{API}/landed-cost?inventoryId={item}&batchId=PO-1",
        f"{API}/revenue-and-cogs?start_date=2024-01-01&company_uuids=x",
        f"{API}/import/invoice/instructions",
    ):
        reply = people["ann"].get(path)
        assert (reply.status_code, list(reply.json())) == (404, ["message"]), path
    assert people["ann"].delete(f"{API}/companies").status_code == 405


WRONG = [
    ("/companies", "page=0", ["page"]),
    ("/companies", "page=-1&per_page=9", ["page", "per_page"]),
    ("/companies", "per_page=61", ["per_page"]),
    ("/companies", "page=x", ["page"]),
    ("{place}/inventory-items", "country_code=usa", ["country_code"]),
    ("{place}/inventory-items/{item}/balances", "balances_date=1.1.2024", ["balances_date"]),
    ("{place}/inventory-items/{item}/balances", "balances_date=2999-01-01", ["balances_date"]),
    ("{place}/inventory-items/{item}/balances", "balances_date=2024-02-30", ["balances_date"]),
    ("{place}/inventory-items/{item}/cogs", "", ["start_date"]),
    ("{place}/inventory-items/{item}/cogs", "start_date=2024-02-01&end_date=2024-01-01", ["end_date"]),
    ("{place}/inventory-items/{item}/cogs", "start_date=20240201", ["start_date"]),
    ("{place}/inventory-items/{item}/landed-cost", "", ["start_date", "warehouse_uuid"]),
    ("{place}/warehouses", "per_page=1", ["per_page"]),
    ("{place}/warehouses/{warehouse}/balances", "balances_date=x", ["balances_date"]),
    ("/revenue-and-cogs", "grouping=day&periodicity=weekly", ["grouping", "periodicity", "start_date"]),
    ("/orders", "limit=0&cursor=x&from=y", ["cursor", "from", "limit"]),
    ("/orders", "limit=101&cursor=YWZ0ZXI6LTE=", ["cursor", "limit"]),
    ("/orders", "from=2026-02-02&to=2026-02-01", ["to"]),
    ("/landed-cost", "", ["inventoryId"]),
]


@pytest.mark.parametrize(("path", "query", "fields"), WRONG)
def test_wrong_parameters_are_named(people, first, path, query, fields):
    reply = people["ann"].get(f"{API}{path.format(**{**first['ann'], 'place': first['ann']['place'][7:]})}?{query}")
    assert reply.status_code == 422
    assert sorted(reply.json()["errors"]) == fields
    assert reply.json()["message"]


def test_a_list_has_pages(people):
    carla = people["carla"]
    pages = [carla.get(f"{API}/companies", params={"page": page}).json() for page in (1, 2, 3, 4)]
    assert [len(page["data"]) for page in pages] == [30, 30, 15, 0]
    assert {(page["per_page"], page["last_page"]) for page in pages} == {(30, 3)}
    assert [page["current_page"] for page in pages] == [1, 2, 3, 4]
    assert carla.get(f"{API}/companies", params={"per_page": 10}).json()["last_page"] == 8


def test_items_are_found_by_what_is_known_of_them(people, first):
    ann, path = people["ann"], f"{first['ann']['place']}/inventory-items"
    every = ann.get(path, params={"per_page": 60}).json()["data"]
    assert len(every) == 40
    item = every[7]
    for name in ("sku", "asin", "fnsku"):
        reply = ann.get(path, params={name: item[name], "country_code": item["country_code"]}).json()
        assert [found["id"] for found in reply["data"]] == [item["id"]]
        assert reply["filters"] == {name: item[name], "country_code": item["country_code"]}
    words = ann.get(path, params={"search": item["name"][:9].upper()}).json()["data"]
    assert item["id"] in [found["id"] for found in words]
    canadian = ann.get(path, params={"country_code": "CA"}).json()["data"]
    assert {found["country_code"] for found in canadian} == {"CA"}
    assert ann.get(path, params={"sku": "nothing"}).json()["data"] == []


def test_warehouses_are_found_by_name(people, first):
    ann, path = people["ann"], f"{first['ann']['place']}/warehouses"
    assert {found["type"] for found in ann.get(path).json()["data"]} == {"FBA", "3PL", "In transit", "Asset"}
    assert [found["type"] for found in ann.get(path, params={"search": "fba"}).json()["data"]] == ["FBA"]


def test_details_are_what_balances_were(sandbox, people, first):
    item = f"{first['ann']['place']}/inventory-items/{first['ann']['item']}"
    new = people["ann"].get(f"{item}/balances").json()
    sandbox.legacy_details = True
    assert people["ann"].get(f"{item}/balances").status_code == 404
    assert people["ann"].get(f"{item}/details").json() == new


def test_orders_have_a_cursor(people):
    ann, seen, cursor = people["ann"], [], None
    while True:
        reply = ann.get(f"{API}/orders", params={"limit": 50, **({"cursor": cursor} if cursor else {})}).json()
        seen += reply["items"]
        cursor = reply["nextCursor"]
        if cursor is None:
            break
    assert len(seen) == len({order["orderId"] for order in seen}) == 120
    assert [order["createdAt"] for order in seen] == sorted((order["createdAt"] for order in seen), reverse=True)
    assert len(ann.get(f"{API}/orders").json()["items"]) == 25


def test_orders_are_found_by_words_and_days(people):
    ann = people["ann"]
    order = next(order for order in ann.get(f"{API}/orders").json()["items"] if "customer" in order)
    for words in (order["orderId"].lower(), order["customer"]["email"], order["status"]):
        found = ann.get(f"{API}/orders", params={"query": words, "limit": 100}).json()["items"]
        assert order in found
    today = datetime.now(UTC).date()
    days = {"from": str(today - timedelta(days=20)), "to": str(today - timedelta(days=10)), "limit": 100}
    found = ann.get(f"{API}/orders", params=days).json()["items"]
    assert found
    assert all(days["from"] <= order["createdAt"][:10] <= days["to"] for order in found)


def test_a_batch_has_its_landed_cost(people, first):
    ann, item = people["ann"], first["ann"]["item"]
    latest = ann.get(f"{API}/landed-cost", params={"inventoryId": item}).json()
    assert latest["unitCost"] == pytest.approx(sum(part["amount"] for part in latest["components"]))
    named = {"inventoryId": item, "batchId": f"PO-2024Q1-{item}"}
    old = ann.get(f"{API}/landed-cost", params=named).json()
    assert (old["inventoryId"], old["batchId"], old["currency"]) == (item, named["batchId"], "USD")
    assert old["quantity"] > 0


def test_a_purchase_is_planned(people, first):
    ann, sku = people["ann"], first["ann"]["sku"]
    short, long = (
        ann.post(f"{API}/purchase-plans", json={"sku": sku, "coverageDays": days, "safetyStock": 10}).json()
        for days in (1, 365)
    )
    assert short["recommendedQuantity"] == 0
    assert long["recommendedQuantity"] > 0 < long["estimatedCost"]
    assert (long["sku"], long["coverageDays"], long["safetyStock"], long["currency"]) == (sku, 365, 10, "USD")
    assert long["orderBy"] >= str(datetime.now(UTC).date() - timedelta(days=1))
    assert short["planId"] != long["planId"]


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        ({"sku": "nothing", "coverageDays": 30, "safetyStock": 0}, 404),
        ({}, 422),
        ({"sku": "", "coverageDays": 0, "safetyStock": -1}, 422),
        ({"sku": 1, "coverageDays": "30", "safetyStock": True}, 422),
        ([], 400),
    ],
)
def test_a_wrong_plan_is_refused(people, plan, status):
    reply = people["ann"].post(f"{API}/purchase-plans", json=plan)
    assert reply.status_code == status
    if status == 422:
        assert reply.json()["errors"].keys() == {"sku", "coverageDays", "safetyStock"}
