"""What the items cost until they are in a warehouse: a batch each quarter, and what it was paid for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

from sandbox.data.catalogue import Item
from sandbox.data.document import document
from sandbox.data.noise import FIRST_DAY, between, noise, season

_QUARTER_DAYS: Final = 91
_AHEAD: Final = timedelta(days=24)
_RECEIVERS: Final = ("FBA", "3PL")


@dataclass(frozen=True)
class Component:
    """One kind of cost of a batch: for one unit, and the document that it is from."""

    kind: str
    unit: float
    paper: str
    reference: str


@dataclass(frozen=True)
class Batch:
    """Units of an item that came together.

    Attributes:
        reference: what documents call it.
        day: when it was ordered.
        receiver: the kind of warehouse that it went to.
    """

    item: Item
    reference: str
    day: date
    quantity: int
    receiver: str
    components: tuple[Component, ...]

    @property
    def unit_cost(self) -> float:
        """What one unit cost in all."""
        return round(sum(component.unit for component in self.components), 2)

    @property
    def amount(self) -> float:
        """What the batch cost."""
        return round(sum(round(component.unit * self.quantity, 2) for component in self.components), 2)

    def document(self) -> dict[str, Any]:
        """The order that it came by, as the API shows it."""
        return document("Inventory Order", self.reference, self.day)

    def details(self, quantity: int) -> list[dict[str, Any]]:
        """What so many of its units cost, by kind of cost, as the API shows it."""
        return [
            {
                "type": component.kind,
                "document": document(component.paper, component.reference, self.day + timedelta(days=9)),
                "currency": self.item.company.currency,
                "amount": round(component.unit * quantity, 2),
                "quantity": quantity,
            }
            for component in self.components
        ]


def batches(item: Item, start: date, end: date) -> Iterator[Batch]:
    """The batches that were ordered from one day to another, the oldest first."""
    day = FIRST_DAY
    while (found := batch(item, day)).day <= end:
        if found.day >= start:
            yield found
        day = _next_quarter(day)


def batch(item: Item, day: date) -> Batch:
    """The batch that the units of a day's sales are from."""
    day = max(day, FIRST_DAY)
    return _batch(item, day.year, (day.month - 1) // 3 + 1)


def _next_quarter(day: date) -> date:
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return date(first.year + first.month // 10, (first.month + 2) % 12 + 1, 1)


@cache
def _batch(item: Item, year: int, quarter: int) -> Batch:
    begins = date(year, quarter * 3 - 2, 1)
    reference = f"PO-{year}Q{quarter}-{item.id}"
    quantity = max(20, round(item.daily * season(begins) * _QUARTER_DAYS * between(0.9, 1.2, reference) / 10) * 10)
    receiver = _RECEIVERS[int(noise("receiver", reference) * len(_RECEIVERS))]
    return Batch(item, reference, begins - _AHEAD, quantity, receiver, tuple(_components(item, year, quarter)))


def _components(item: Item, year: int, quarter: int) -> Iterator[Component]:
    key = f"{year}Q{quarter}-{item.id}"
    price = round(item.vendor_price * between(0.97, 1.04, "batch", key), 2)
    freight = round(item.product.weight * between(0.28, 0.55, "freight", year, quarter), 2)
    yield Component("Purchase Price", price, "Bill", f"BILL-{key}")
    yield Component("Ocean Freight", freight, "Shipment", f"SHIP-{key}")
    yield Component("Customs Duty", round(price * 0.034, 2), "Bill", f"DUTY-{key}")
    yield Component("Inbound Handling", round(0.28 + item.product.weight * 0.03, 2), "Bill", f"HNDL-{key}")
