"""Query parameters: read one by one, refused all at once."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from starlette.datastructures import QueryParams

from sandbox.api.errors import invalid

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_PAGE_SIZES: Final = (10, 60)
_PAGE_SIZE: Final = 30


class Query:
    """The parameters of a request; what is wrong with them is kept until `check`.

    Args:
        parameters: as they came.
        today: what a date that is not given stands for.
    """

    def __init__(self, parameters: QueryParams, today: date) -> None:
        self._parameters = parameters
        self._errors: dict[str, list[str]] = {}
        self.today = today

    def check(self) -> None:
        """Refuse the request if a parameter that was read is wrong.

        Raises:
            ApiError: one is.
        """
        if self._errors:
            raise invalid(self._errors)

    def reject(self, name: str, reason: str) -> None:
        """Keep what is wrong with a parameter."""
        self._errors.setdefault(name, []).append(reason)

    def text(self, name: str, *, required: bool = False) -> str | None:
        """A text; an empty one counts as none."""
        value = self._parameters.get(name) or None
        if value is None and required:
            self.reject(name, f"The {name} field is required.")
        return value

    def several(self, name: str, choice: Sequence[str] | None = None) -> list[str]:
        """The values of a repeated key, all of a choice where one is given."""
        values = self._parameters.getlist(name)
        if choice is not None and not set(values) <= set(choice):
            self.reject(name, f"The selected {name} is invalid.")
        return values

    def one_of(self, name: str, choice: Sequence[str], default: str) -> str:
        """One value of a choice."""
        value = self.text(name) or default
        if value not in choice:
            self.reject(name, f"The selected {name} is invalid.")
        return value

    def country(self, name: str) -> str | None:
        """A country's two letters."""
        value = self.text(name)
        if value is not None and not _COUNTRY.fullmatch(value):
            self.reject(name, f"The {name} must be 2 capital letters.")
        return value

    def number(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number within limits."""
        value = self._parameters.get(name, str(default))
        if not value.isascii() or not value.isdigit() or not low <= int(value[:9]) <= high:
            self.reject(name, f"The {name} must be between {low} and {high}.")
            return default
        return int(value)

    def day(self, name: str, *, required: bool = False) -> date | None:
        """A day as YYYY-MM-DD."""
        value = self.text(name, required=required)
        if value is None:
            return None
        try:
            return date.fromisoformat(value if _DAY.fullmatch(value) else "")
        except ValueError:
            self.reject(name, f"The {name} is not a valid date.")
            return None

    def past_day(self, name: str) -> date:
        """A day that is not after today, which it is if it is not given."""
        found = self.day(name) or self.today
        if found > self.today:
            self.reject(name, f"The {name} must not be after today.")
        return found

    def span(self) -> tuple[date, date]:
        """The days of `start_date`, which is required, and `end_date`, today if it is not given."""
        start, end = self.day("start_date", required=True), self.day("end_date") or self.today
        if start is not None and start > end:
            self.reject("end_date", "The end_date must be a date after or equal to start_date.")
        return start or end, end

    def page(self) -> "Page":
        """Which page of a list is asked for."""
        return Page(self.number("page", 1, 1_000_000, 1), self.number("per_page", *_PAGE_SIZES, _PAGE_SIZE))


class Page:
    """A page of a list.

    Args:
        number: from 1.
        size: how many entries a page has.
    """

    def __init__(self, number: int, size: int) -> None:
        self.number = number
        self.size = size

    def of(self, entries: Sequence[Any], name: str = "data") -> dict[str, Any]:
        """The page's part of all entries, in an answer's form; one after the last is empty."""
        start = (self.number - 1) * self.size
        return {
            "current_page": self.number,
            "per_page": self.size,
            "last_page": max(1, -(-len(entries) // self.size)),
            name: list(entries[start : start + self.size]),
        }
