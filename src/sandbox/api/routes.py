"""The API's addresses, below `/api/v1`."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from starlette.routing import Route

from sandbox.api import companies, costs, imports, inventory, orders, purchase_plans, revenue
from sandbox.api.call import Call, answering

_COMPANY: Final = "/companies/{companyUuid}"
_ITEM: Final = f"{_COMPANY}/inventory-items/{{inventoryId}}"

_READS: Final[dict[str, Callable[[Call], Any]]] = {
    "/companies": companies.list_companies,
    "/reports": companies.list_reports,
    "/accounts/{accountId}": companies.get_account,
    f"{_COMPANY}/inventory-items": inventory.list_items,
    f"{_ITEM}/landed-cost": costs.landed_costs,
    f"{_ITEM}/cogs": costs.cogs,
    f"{_ITEM}/{{view}}": inventory.item_balances,
    f"{_COMPANY}/warehouses": inventory.list_warehouses,
    f"{_COMPANY}/warehouses/{{warehouseUuid}}/balances": inventory.warehouse_balances,
    "/import/{type}/instructions": imports.instructions,
    f"{_COMPANY}/import/{{type}}/status/{{requestId}}": imports.import_status,
    "/revenue-and-cogs": revenue.revenue_and_cogs,
    "/orders": orders.search_orders,
    "/landed-cost": costs.landed_cost,
}
_WRITES: Final[dict[str, Callable[[Call], Any]]] = {
    f"{_COMPANY}/create/{{type}}": imports.create,
    f"{_COMPANY}/import/{{type}}/pdf": imports.import_pdf,
    "/purchase-plans": purchase_plans.plan_purchase,
}


def api_routes() -> list[Route]:
    """The routes of all endpoints."""
    return list(_routes())


def _routes() -> Iterator[Route]:
    for path, function in _READS.items():
        yield Route(path, answering(function), methods=["GET"])
    for path, function in _WRITES.items():
        yield Route(path, answering(function), methods=["POST"])
