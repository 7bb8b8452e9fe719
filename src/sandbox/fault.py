"""The faults that the sandbox can be told to show, and which one a request gets."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

AREAS: Final = ("api", "user_jwt", "introspect", "token", "jwks", "metadata")
"""The parts of NeonPanel that can fail."""

FAULTS: Final = {
    "bad-request": "400 with a message",
    "unauthorized": "401 with a message",
    "forbidden": "403 with a message",
    "not-found": "404 with a message",
    "unprocessable": "422 with errors by field",
    "rate-limited": "429 with Retry-After",
    "server-error": "500 with an HTML page",
    "bad-gateway": "502 from a proxy",
    "unavailable": "503 with Retry-After",
    "gateway-timeout": "504 from a proxy",
    "slow": "no answer for 30 seconds",
    "refused": "connection dropped, no answer",
    "truncated": "half of the JSON, then dropped",
    "not-json": "200 with an HTML page",
    "wrong-types": "numbers and lists of other types",
    "huge": "200 with 6 MB of JSON",
}
"""By name: what it looks like from outside."""

OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "slow": {"seconds": 30.0},
    "unprocessable": {"errors": {"page": ["The page must be at least 1."]}},
    "rate-limited": {"retry_after": 1},
    "unavailable": {"retry_after": 1},
}
"""By name of a fault: its options and what they are where they are not given."""


@dataclass
class Fault:
    """A fault that waits for requests.

    Attributes:
        times: how many more requests get it; None for all until it is healed.
        path: only requests whose path contains this get it.
    """

    area: str
    name: str
    times: int | None
    path: str
    options: dict[str, Any]

    def __post_init__(self) -> None:  # noqa: D105 - the class says what it takes
        if self.area not in AREAS:
            raise ValueError(f"area must be one of {', '.join(AREAS)}")
        if self.name not in FAULTS:
            raise ValueError(f"fault must be one of {', '.join(FAULTS)}")
        if self.times is not None and self.times < 1:
            raise ValueError("times must be at least 1")
        known = OPTIONS.get(self.name, {})
        if unknown := sorted(self.options.keys() - known.keys()):
            raise ValueError(f"{self.name} has no option {', '.join(unknown)}")
        self.options = {**known, **self.options}


@dataclass
class Faults:
    """The faults that wait, in the order in which they were set.

    Those of a number of requests are shown first and one after the other; of those that last, the newest.
    """

    _waiting: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        """Let a fault wait; one that lasts takes the place of such a one of the same area and path."""
        with self._lock:
            if fault.times is None:
                place = (fault.area, fault.path, None)
                self._waiting = [kept for kept in self._waiting if (kept.area, kept.path, kept.times) != place]
            self._waiting.append(fault)

    def heal(self, area: str | None) -> None:
        """Forget an area's faults, or all."""
        with self._lock:
            self._waiting = [fault for fault in self._waiting if area not in (None, fault.area)]

    def waiting(self) -> list[Fault]:
        """Those that wait."""
        with self._lock:
            return list(self._waiting)

    def take(self, area: str, path: str) -> Fault | None:
        """The fault that a request gets, if any."""
        with self._lock:
            meant = [fault for fault in self._waiting if fault.area == area and fault.path in path]
            counted = next((fault for fault in meant if fault.times is not None), None)
            if counted is None or counted.times is None:
                return meant[-1] if meant else None
            counted.times -= 1
            if not counted.times:
                self._waiting.remove(counted)
            return counted
