"""The people who can sign in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sandbox.data.company import CLIENTS, HARBOR_LANE, LUMEN, LUMEN_EUROPE, Company

READING: Final = (
    "read:companies",
    "read:reports",
    "read:inventory",
    "read:landed-cost",
    "read:cogs",
    "read:warehouses",
    "read:revenue",
)
EVERYTHING: Final = (*READING, "write:import")


@dataclass(frozen=True)
class Person:
    """Somebody with an account.

    Attributes:
        id: the subject of their tokens.
        permissions: what their tokens and the introspection tell; the API itself asks only whose a company is.
    """

    id: str
    name: str
    role: str
    plan: str
    created: str
    companies: tuple[Company, ...]
    permissions: tuple[str, ...]

    @property
    def email(self) -> str:
        """Where they are written to."""
        return f"{self.id}@example.com"

    @property
    def account_id(self) -> str:
        """The id of their account."""
        return f"acc_{self.id}"

    def account(self) -> dict[str, Any]:
        """Their account, as the API shows it."""
        return {
            "accountId": self.account_id,
            "name": self.name,
            "email": self.email,
            "plan": self.plan,
            "createdAt": self.created,
            "companies": [company.as_json() for company in self.companies],
        }


ANN: Final = Person(
    "ann",
    "Ann Whitaker",
    "owns two homeware companies",
    "growth",
    "2022-11-03T09:12:00Z",
    (LUMEN, LUMEN_EUROPE),
    EVERYTHING,
)
BOB: Final = Person(
    "bob",
    "Bob Okafor",
    "owns a small trading company",
    "starter",
    "2024-02-19T16:40:00Z",
    (HARBOR_LANE,),
    ("read:companies", "read:reports", "read:inventory", "read:warehouses"),
)
CARLA: Final = Person(
    "carla",
    "Carla Mendes",
    "keeps the books of 75 clients",
    "accountant",
    "2023-06-27T07:05:00Z",
    CLIENTS,
    READING,
)
PEOPLE: Final = {person.id: person for person in (ANN, BOB, CARLA)}


def find(person_id: object) -> Person | None:
    """The person that a token's subject names."""
    return PEOPLE.get(person_id) if isinstance(person_id, str) else None


def with_account(account_id: str, people: Iterable[Person] = tuple(PEOPLE.values())) -> Person | None:
    """The person whose account that is."""
    return next((person for person in people if person.account_id == account_id), None)
