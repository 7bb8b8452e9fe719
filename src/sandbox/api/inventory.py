"""Inventory items and warehouses, and how many units are where."""

from typing import Any, Final

from sandbox.api.call import Call
from sandbox.api.errors import ApiError
from sandbox.data.catalogue import Item, items
from sandbox.data.warehouse import balance, restock, warehouses

_FILTERS: Final = ("country_code", "search", "fnsku", "asin", "sku")


def list_items(call: Call) -> dict[str, Any]:
    """A company's items."""
    company, page = call.company(), call.query.page()
    filters = {name: call.query.text(name) for name in _FILTERS}
    call.query.country("country_code")
    call.query.check()
    given = {name: value for name, value in filters.items() if value is not None}
    found = [item.as_json() for item in items(company) if _matches(item, given)]
    return {**page.of(found), "filters": given}


def item_balances(call: Call) -> dict[str, Any]:
    """An item's restock data, and how many of it each warehouse holds."""
    if call.path["view"] != ("details" if call.sandbox.legacy_details else "balances"):
        raise ApiError(404, "Not found.")
    item, day = call.item(), call.query.past_day("balances_date")
    call.query.check()
    held = [{"warehouse": place.as_json(), "balance": balance(item, place, day)} for place in warehouses(item.company)]
    return {
        "inventory": item.as_json(),
        "restock_data": restock(item, day),
        "balances_data": {"balances_date": day.isoformat(), "balances_list": held},
    }


def list_warehouses(call: Call) -> dict[str, Any]:
    """A company's warehouses."""
    company, page, search = call.company(), call.query.page(), call.query.text("search") or ""
    call.query.check()
    return page.of([place.as_json() for place in warehouses(company) if search.lower() in place.name.lower()])


def warehouse_balances(call: Call) -> dict[str, Any]:
    """What a warehouse holds."""
    place = call.warehouse(call.path["warehouseUuid"])
    page, day = call.query.page(), call.query.past_day("balances_date")
    call.query.check()
    held = ((item, balance(item, place, day)) for item in items(call.company()))
    entries = [{"inventory": item.as_json(), "balance": units} for item, units in held if units]
    return {**page.of(entries), "balances_date": day.isoformat()}


def _matches(item: Item, filters: dict[str, str]) -> bool:
    shown = item.as_json()
    words = filters.get("search", "").lower()
    searched = (str(shown[name]).lower() for name in ("id", "name", "sku", "asin", "fnsku"))
    exact = (shown[name] == value for name, value in filters.items() if name != "search")
    return all(exact) and any(words in text for text in searched)
