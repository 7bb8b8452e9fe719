"""Current weather, whichever service told it."""

from dataclasses import dataclass, replace
from math import isfinite
from typing import Any


@dataclass(frozen=True, slots=True)
class WeatherReport:
    """The weather at a place; what the service does not know is None.

    Attributes:
        temperature: degrees Fahrenheit.
        conditions: in words, such as "Partly Cloudy".
        humidity: relative, in per cent.
        observed_at: ISO 8601, where the service tells it.
        source: the service's name.
    """

    temperature: float | None
    conditions: str | None
    humidity: float | None
    observed_at: str | None
    source: str

    @property
    def complete(self) -> bool:
        """Whether nothing that a caller reads is missing."""
        return None not in (self.temperature, self.conditions, self.humidity)

    @property
    def empty(self) -> bool:
        """Whether there is no weather in it."""
        return self.temperature is None and self.conditions is None

    def filled(self, other: "WeatherReport") -> "WeatherReport":
        """This report, with what it lacks taken from another; the other one where this is empty."""
        if self.empty:
            return other
        lacking = {name: getattr(other, name) for name in _VALUES if getattr(self, name) is None}
        return replace(self, **lacking)


_VALUES = ("temperature", "conditions", "humidity")
_LONGEST = 100
"""Characters of a description; the services' own have some thirty."""


def number(value: Any) -> float | None:
    """The value where it is a finite number (JSON's true and false are none), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def words(value: Any) -> str | None:
    """A text with each word capitalised, so that "broken clouds" reads as "Broken Clouds"; None where there is none."""
    if not isinstance(value, str) or not value.strip():
        return None
    sendable = value[:_LONGEST].encode(errors="replace").decode()
    return " ".join(word[0].upper() + word[1:] for word in sendable.split()) or None


def at(document: Any, *path: str | int) -> Any:
    """What a JSON document holds at a path of names and indexes; None where it holds nothing of that shape."""
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document
