"""Figures that look like chance and are the same in every run."""

import hashlib
import math
from datetime import date
from typing import Final

FIRST_DAY: Final = date(2023, 1, 1)
"""The companies' books begin here."""

_MONTHS: Final = (0.78, 0.8, 0.88, 0.92, 0.98, 0.95, 1.02, 0.97, 0.99, 1.08, 1.42, 1.62)
_GROWTH: Final = 1.11
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz"


def noise(*parts: object) -> float:
    """A number from 0 up to 1, the same for the same parts."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def between(low: float, high: float, *parts: object) -> float:
    """A number from `low` up to `high`, the same for the same parts."""
    return low + (high - low) * noise(*parts)


def identifier(*parts: object) -> str:
    """An id as NeonPanel's documents show them: ten letters, each followed by a digit."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return "".join(f"{_ALPHABET[byte % 26]}{byte % 10}" for byte in digest[:10])


def season(day: date) -> float:
    """How a day's demand compares with the first year's average: most before Christmas, and more every year."""
    return _MONTHS[day.month - 1] * _GROWTH ** (day.year - FIRST_DAY.year)


def wave(day: date, period: float, *parts: object) -> float:
    """A slow swing from -1 to 1 that repeats after so many days, each part's at its own time."""
    return math.sin(2 * math.pi * (day.toordinal() / period + noise(*parts)))
