"""Orders, page by page by a cursor."""

import base64
import binascii
import json
from typing import Any, Final

from sandbox.api.call import Call
from sandbox.data.orders import orders

_LIMITS: Final = (1, 100)
_LIMIT: Final = 25


def search_orders(call: Call) -> dict[str, Any]:
    """Orders of the companies that the caller may see, the newest first."""
    query = call.query
    words, since, until = query.text("query") or "", query.day("from"), query.day("to")
    limit, start = query.number("limit", *_LIMITS, _LIMIT), _position(call)
    if since and until and since > until:
        query.reject("to", "The to must be a date after or equal to from.")
    query.check()
    first, last = (day.isoformat() if day else "" for day in (since, until))
    found = [
        order
        for company in call.companies
        for order in orders(company, call.now)
        if first <= order["createdAt"][:10] and (not last or order["createdAt"][:10] <= last) and _matches(order, words)
    ]
    found.sort(key=lambda order: (order["createdAt"], order["orderId"]), reverse=True)
    following = _cursor(start + limit) if start + limit < len(found) else None
    return {"items": found[start : start + limit], "nextCursor": following}


def _matches(order: dict[str, Any], words: str) -> bool:
    return words.lower() in json.dumps([order["orderId"], order["status"], order.get("customer")]).lower()


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"after:{position}".encode()).decode()


def _position(call: Call) -> int:
    cursor = call.query.text("cursor")
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, UnicodeError):
        text = ""
    position = text.removeprefix("after:")
    if position == text or not position.isdigit():
        call.query.reject("cursor", "The cursor is invalid.")
        return 0
    return int(position)
