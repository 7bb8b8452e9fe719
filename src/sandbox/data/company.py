"""The companies, and which of them sells where."""

from dataclasses import dataclass
from typing import Any, Final

from sandbox.data.noise import identifier, noise


@dataclass(frozen=True)
class Company:
    """A seller.

    Attributes:
        id: what reports call it.
        countries: where it sells, the first one being its own, each with how many products it sells there.
    """

    id: int
    name: str
    short_name: str
    currency: str
    timezone: str
    countries: tuple[tuple[str, int], ...]

    @property
    def uuid(self) -> str:
        """What every address calls it."""
        return identifier("company", self.name)

    @property
    def country(self) -> str:
        """Its own country."""
        return self.countries[0][0]

    def as_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "uuid": self.uuid,
            "name": self.name,
            "short_name": self.short_name,
            "currency": self.currency,
            "timezone": self.timezone,
        }


LUMEN: Final = Company(101, "Lumen & Oak Ltd", "LNO", "USD", "America/New_York", (("US", 24), ("CA", 10), ("MX", 6)))
LUMEN_EUROPE: Final = Company(
    102, "Lumen & Oak Europe GmbH", "LOE", "EUR", "Europe/Berlin", (("DE", 14), ("FR", 6), ("IT", 4))
)
HARBOR_LANE: Final = Company(
    201, "Harbor Lane Trading LLC", "HLT", "USD", "America/Los_Angeles", (("US", 12), ("CA", 4))
)

_FIRST_WORDS: Final = (
    "Alder", "Birch", "Copper", "Dune", "Ember", "Fjord", "Granite", "Hazel", "Indigo", "Juniper", "Kestrel", "Linden",
    "Maple", "Nordic", "Orchard",
)  # fmt: skip
_SECOND_WORDS: Final = ("Home", "Kitchen", "Garden", "Textiles", "Living")
_PLACES: Final = (
    ("US", "USD", "America/Chicago", "Inc"),
    ("GB", "GBP", "Europe/London", "Ltd"),
    ("DE", "EUR", "Europe/Berlin", "GmbH"),
    ("CA", "CAD", "America/Toronto", "Inc"),
    ("AU", "AUD", "Australia/Sydney", "Pty Ltd"),
)
_CLIENT_PRODUCTS: Final = 6


def _client(number: int, first: str, second: str) -> Company:
    place = _PLACES[int(noise("place", first, second) * len(_PLACES))]
    country, currency, timezone, form = place
    name = f"{first} {second} {form}"
    short = f"{first[:2]}{second[0]}".upper()
    return Company(301 + number, name, short, currency, timezone, ((country, _CLIENT_PRODUCTS),))


CLIENTS: Final = tuple(
    _client(number, first, second)
    for number, (first, second) in enumerate((first, second) for first in _FIRST_WORDS for second in _SECOND_WORDS)
)
"""An accountant's: so many that their list has several pages."""

COMPANIES: Final = (LUMEN, LUMEN_EUROPE, HARBOR_LANE, *CLIENTS)
