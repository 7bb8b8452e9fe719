"""The last half year's orders; the newest is always of today."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from sandbox.data.catalogue import items
from sandbox.data.company import CLIENTS, HARBOR_LANE, LUMEN, LUMEN_EUROPE, Company
from sandbox.data.noise import between, identifier, noise

_COUNTS: Final = {LUMEN.id: 84, LUMEN_EUROPE.id: 36, HARBOR_LANE.id: 24, **{client.id: 2 for client in CLIENTS}}
_SPAN: Final = timedelta(days=180)
_BUYERS: Final = ("marta", "jonas", "priya", "sam", "lucia", "henrik", "amelie", "noah", "ines", "tom", "yuki", "zoe")
_STATES: Final = ("delivered", "delivered", "delivered", "shipped", "processing", "refunded")
_ANONYMOUS: Final = 1 / 6
"""How many orders come from a marketplace that keeps its customers to itself."""


def orders(company: Company, now: datetime) -> Iterator[dict[str, Any]]:
    """A company's orders as the API shows them, the newest first."""
    count = _COUNTS[company.id]
    midnight = datetime.combine(now.date(), time(), UTC)
    for number in range(count):
        day = midnight - _SPAN * number / count
        moment = day.replace(hour=0) + timedelta(minutes=int(noise("minute", company.id, number) * 1440))
        yield _order(company, count - number, min(moment, now))


def _order(company: Company, number: int, moment: datetime) -> dict[str, Any]:
    key = (company.id, number)
    offers = items(company)
    item = offers[int(noise("item", *key) * len(offers))]
    buyer = _BUYERS[int(noise("buyer", *key) * len(_BUYERS))]
    order: dict[str, Any] = {
        "orderId": f"{company.short_name}-{10000 + number}",
        "createdAt": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "currency": company.currency,
        "total": round(item.price * int(between(1, 4, "units", *key)), 2),
        "status": _STATES[int(noise("state", *key) * len(_STATES))],
    }
    if noise("anonymous", *key) >= _ANONYMOUS:
        order["customer"] = {"id": f"cus_{identifier('buyer', buyer)[:10]}", "email": f"{buyer}@example.com"}
    return order
