"""Where the companies keep what they sell, and how much of it is where."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from sandbox.data.catalogue import Item
from sandbox.data.company import Company
from sandbox.data.costs import batch
from sandbox.data.noise import FIRST_DAY, between, identifier, season, wave

_KINDS: Final = (
    ("Amazon FBA {country}", "FBA", 34.0),
    ("{short} Fulfilment, 3PL", "3PL", 21.0),
    ("On the Water", "In transit", 15.0),
    ("{short} Workshop", "Asset", 4.0),
)
"""By kind of warehouse: how many days' sales it holds."""


@dataclass(frozen=True)
class Warehouse:
    """A place that holds units of a company.

    Attributes:
        kind: as NeonPanel calls it `type`.
        country: None for what is between two.
        cover: how many days' sales it holds.
    """

    uuid: str
    name: str
    kind: str
    country: str | None
    cover: float

    def as_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"uuid": self.uuid, "name": self.name, "type": self.kind, "country_code": self.country}


@cache
def warehouses(company: Company) -> tuple[Warehouse, ...]:
    """All that a company has."""
    return tuple(_warehouse(company, *row) for row in _KINDS)


def _warehouse(company: Company, name: str, kind: str, cover: float) -> Warehouse:
    called = name.format(country=company.country, short=company.short_name)
    country = None if kind == "In transit" else company.country
    return Warehouse(identifier("warehouse", company.id, kind), called, kind, country, cover)


def balance(item: Item, warehouse: Warehouse, day: date) -> int:
    """How many units of an item a warehouse held at the end of a day."""
    if day < FIRST_DAY:
        return 0
    swing = 1 + 0.45 * wave(day, between(40, 70, "period", item.id), item.id, warehouse.kind)
    return int(item.daily * season(day) * warehouse.cover * swing)


def on_hand(item: Item, day: date) -> int:
    """How many units of an item there are in all."""
    return sum(balance(item, warehouse, day) for warehouse in warehouses(item.company))


def restock(item: Item, day: date) -> dict[str, float]:
    """How an item is to be ordered again, as the API shows it."""
    expected = round(item.daily * season(day), 2)
    target = round(expected * between(1.02, 1.15, "target", item.id), 2)
    return {
        "daily_sales_target": round(target * item.price, 2),
        "unit_vendor_price": item.vendor_price,
        "unit_landed_cost": batch(item, day).unit_cost,
        "estimated_daily_sales": expected,
        "estimated_price": item.price,
        "lead_time_days": float(round(between(35, 75, "lead", item.id))),
        "safety_stock_days": float(round(between(10, 21, "safety", item.id))),
        "fba_lead_time_days": float(round(between(6, 14, "fba lead", item.id))),
        "fba_safety_stock_days": float(round(between(7, 14, "fba safety", item.id))),
        "target_fba_fee": round(3.1 + item.product.weight * 0.42, 2),
        "target_price": round(item.price * 1.02, 2),
        "target_referral_percentage": 15.0,
        "daily_unit_sales_target": target,
    }
