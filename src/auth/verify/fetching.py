"""Documents of another server, which whoever runs this one fetches as they like."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any


class NoDocumentError(Exception):
    """A document cannot be had.

    Attributes:
        absent: whether the server was reached, and had none; another place may have it.
    """

    def __init__(self, reason: str, *, absent: bool = False) -> None:
        super().__init__(reason)
        self.absent = absent


Fetch = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Gives the JSON object at a URL; raises `NoDocumentError` with a reason for the operator's eyes."""
