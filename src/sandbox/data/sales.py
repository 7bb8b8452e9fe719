"""What the companies sold: two settlements a month for each country, with a line for each item."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from sandbox.data.catalogue import Item, items
from sandbox.data.company import Company
from sandbox.data.costs import Batch, batch
from sandbox.data.document import document
from sandbox.data.noise import FIRST_DAY, between, season

_DAYS: Final = (1, 15)
_HALF_MONTH: Final = 15


@dataclass(frozen=True)
class Line:
    """Units of one item that one settlement pays for."""

    item: Item
    batch: Batch
    quantity: int
    revenue: float
    cogs: float


@dataclass(frozen=True)
class Settlement:
    """An invoice of half a month's sales in one country."""

    company: Company
    country: str
    day: date
    lines: tuple[Line, ...]

    @property
    def reference(self) -> str:
        """What documents call it."""
        return f"{self.company.short_name}-{self.country}-{self.day:%Y%m%d}"

    @property
    def revenue(self) -> float:
        """What its units sold for."""
        return round(sum(line.revenue for line in self.lines), 2)

    @property
    def cogs(self) -> float:
        """What its units had cost."""
        return round(sum(line.cogs for line in self.lines), 2)

    def document(self) -> dict[str, Any]:
        """As the API shows it."""
        return document("Invoice", self.reference, self.day)


def settlements(company: Company, start: date, end: date) -> Iterator[Settlement]:
    """A company's settlements from one day to another, the oldest first."""
    year, month = max(start, FIRST_DAY).year, max(start, FIRST_DAY).month
    while (year, month) <= (end.year, end.month):
        yield from (found for found in _month(company, year, month) if start <= found.day <= end)
        year, month = year + month // 12, month % 12 + 1


def item_lines(item: Item, start: date, end: date) -> Iterator[tuple[Settlement, Line]]:
    """The settlements that hold an item, each with its line."""
    for settlement in settlements(item.company, start, end):
        yield from ((settlement, line) for line in settlement.lines if line.item.id == item.id)


@cache
def _month(company: Company, year: int, month: int) -> tuple[Settlement, ...]:
    days = [date(year, month, day) for day in _DAYS]
    return tuple(_settlement(company, country, day) for day in days for country, _ in company.countries)


def _settlement(company: Company, country: str, day: date) -> Settlement:
    sold = (_line(item, day) for item in items(company) if item.country == country)
    return Settlement(company, country, day, tuple(line for line in sold if line.quantity))


def _line(item: Item, day: date) -> Line:
    quantity = round(item.daily * season(day) * _HALF_MONTH * between(0.8, 1.2, "sold", item.id, day))
    source = batch(item, day)
    revenue = round(quantity * item.price * between(0.93, 1.0, "discount", item.id, day), 2)
    cogs = round(sum(round(component.unit * quantity, 2) for component in source.components), 2)
    return Line(item, source, quantity, revenue, cogs)
