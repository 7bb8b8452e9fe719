"""What to order of an item, and when."""

from datetime import timedelta
from typing import Any, Final

from sandbox.api.call import Call
from sandbox.api.errors import ApiError, invalid
from sandbox.data.catalogue import items
from sandbox.data.noise import identifier
from sandbox.data.warehouse import on_hand, restock

_LONGEST: Final = 365
_LARGEST: Final = 1_000_000


def plan_purchase(call: Call) -> dict[str, Any]:
    """Plan how many units cover so many days, with so many in reserve."""
    asked = call.json()
    sku, days, safety = _checked(asked)
    found = next((item for company in call.companies for item in items(company) if item.sku == sku), None)
    if found is None:
        raise ApiError(404, "SKU not found.")
    figures, held = restock(found, call.today), on_hand(found, call.today)
    daily = figures["estimated_daily_sales"]
    quantity = max(0, round(daily * days + safety - held))
    left = int((held - safety) / daily - figures["lead_time_days"])
    return {
        "planId": f"plan_{identifier(sku, days, safety, call.today)[:12]}",
        "sku": sku,
        "recommendedQuantity": quantity,
        "coverageDays": days,
        "safetyStock": safety,
        "currency": found.company.currency,
        "estimatedCost": round(quantity * figures["unit_landed_cost"], 2),
        "orderBy": (call.today + timedelta(days=max(0, left))).isoformat(),
    }


def _checked(asked: dict[str, Any]) -> tuple[str, int, int]:
    errors: dict[str, list[str]] = {}
    sku, days, safety = (asked.get(name) for name in ("sku", "coverageDays", "safetyStock"))
    if not isinstance(sku, str) or not sku:
        errors["sku"] = ["The sku field is required."]
    if not _whole(days, 1, _LONGEST):
        errors["coverageDays"] = [f"The coverageDays must be between 1 and {_LONGEST}."]
    if not _whole(safety, 0, _LARGEST):
        errors["safetyStock"] = [f"The safetyStock must be between 0 and {_LARGEST}."]
    if errors:
        raise invalid(errors)
    return str(sku), int(days or 0), int(safety or 0)


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
