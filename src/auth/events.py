"""What happened, for whoever watches: each event goes to a sink that is handed in."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Event(NamedTuple):
    """Something that an operator may want to count or to look up.

    Attributes:
        name: such as `sign_in_failed`, `grant_revoked`, `refresh_token_reused`; docs/reference lists them all.
        details: ids and reasons; never a secret, a token or a password.
        alarming: whether somebody should look.
    """

    name: str
    details: dict[str, Any]
    alarming: bool = False


Sink = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """A sink that forgets."""
