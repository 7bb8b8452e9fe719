"""The papers that figures come from."""

from datetime import UTC, date, datetime, time
from typing import Any, Final

from sandbox.data.noise import identifier

_PLACE: Final = "https://neonpanel.example/app/documents"


def document(kind: str, reference: str, day: date) -> dict[str, Any]:
    """A finished document, as the API shows it; its link leads to a domain that does not exist."""
    return {
        "type": kind,
        "link": f"{_PLACE}/{identifier(kind, reference)}",
        "status": "Completed",
        "completed": datetime.combine(day, time(15, 30), UTC).isoformat().replace("+00:00", "Z"),
        "ref_number": reference,
        "date": day.isoformat(),
    }
