"""US ZIP codes and the places they stand for, offline."""

from dataclasses import dataclass
from typing import Any

import anyio.to_thread


@dataclass(frozen=True, slots=True)
class Place:
    """What a ZIP code stands for.

    Attributes:
        name: "New York, NY".
        latitude: degrees north.
        longitude: degrees east, so negative in most of the United States.
    """

    zip_code: str
    name: str
    latitude: float
    longitude: float


async def find_place(zip_code: str) -> Place | None:
    """The place of a five-digit ZIP code; None where the Postal Service has no such code.

    The table takes some 0.4 s to unpack, once per process, so it is read off the event loop.
    """
    return await anyio.to_thread.run_sync(_look_up, zip_code)


def _look_up(zip_code: str) -> Place | None:
    import zipcodes

    table: Any = zipcodes
    for found in table.matching(zip_code):
        name = ", ".join(part for part in (found["city"], found["state"]) if part)
        return Place(zip_code, name, float(found["lat"]), float(found["long"]))
    return None
