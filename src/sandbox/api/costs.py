"""What items cost: until they are in a warehouse, and when they are sold."""

from typing import Any

from sandbox.api.call import Call, item_with
from sandbox.api.errors import ApiError
from sandbox.data.catalogue import Item
from sandbox.data.costs import Batch, batch, batches
from sandbox.data.noise import FIRST_DAY
from sandbox.data.sales import Line, Settlement, item_lines


def landed_costs(call: Call) -> dict[str, Any]:
    """The batches of an item that a warehouse received."""
    item, page, (start, end) = call.item(), call.query.page(), call.query.span()
    wanted = call.query.text("warehouse_uuid", required=True)
    call.query.check()
    place = call.warehouse(wanted or "")
    received = [found for found in batches(item, start, end) if found.receiver == place.kind]
    filters = {"warehouse_uuid": place.uuid, "start_date": start.isoformat(), "end_date": end.isoformat()}
    return {
        **page.of([_cost(found) for found in received]),
        "filters": filters,
        **_of(item),
        "warehouse": place.as_json(),
        "amount": round(sum(found.amount for found in received), 2),
        "quantity": sum(found.quantity for found in received),
    }


def cogs(call: Call) -> dict[str, Any]:
    """What an item's sold units had cost, by invoice."""
    item, page, (start, end) = call.item(), call.query.page(), call.query.span()
    call.query.check()
    lines = list(item_lines(item, start, min(end, call.today)))
    amount = round(sum(line.cogs for _, line in lines), 2)
    return {
        **page.of([_sold(settlement, line) for settlement, line in lines], "details"),
        "filters": {"start_date": start.isoformat(), "end_date": end.isoformat()},
        **_of(item),
        "amount": amount,
        "lost_amount": 0,
        "total_amount": amount,
        "quantity": sum(line.quantity for _, line in lines),
    }


def landed_cost(call: Call) -> dict[str, Any]:
    """What one unit of an item's batch cost; of the latest one where none is named."""
    wanted, reference = call.query.text("inventoryId", required=True), call.query.text("batchId")
    call.query.check()
    item = item_with(wanted or "")
    if item is None:
        raise ApiError(404, "Inventory item not found.")
    call.may_see(item.company)
    known = batches(item, FIRST_DAY.replace(year=FIRST_DAY.year - 1), call.today)
    found = next((found for found in known if found.reference == reference), None)
    if reference is not None and found is None:
        raise ApiError(404, "Batch not found.")
    return _unit_cost(found or batch(item, call.today))


def _unit_cost(found: Batch) -> dict[str, Any]:
    return {
        "inventoryId": found.item.id,
        "batchId": found.reference,
        "currency": found.item.company.currency,
        "unitCost": found.unit_cost,
        "quantity": found.quantity,
        "components": [{"type": component.kind, "amount": component.unit} for component in found.components],
    }


def _of(item: Item) -> dict[str, Any]:
    company = item.company
    return {"company": company.as_json(), "inventory": item.as_json(), "currency": company.currency}


def _cost(found: Batch) -> dict[str, Any]:
    return {
        "batch": found.document(),
        "currency": found.item.company.currency,
        "amount": found.amount,
        "quantity": found.quantity,
        "details": found.details(found.quantity),
    }


def _sold(settlement: Settlement, line: Line) -> dict[str, Any]:
    source = line.batch.document()
    return {
        "document": settlement.document(),
        "currency": settlement.company.currency,
        "amount": line.cogs,
        "quantity": line.quantity,
        "details": [{**detail, "batch": source} for detail in line.batch.details(line.quantity)],
    }
