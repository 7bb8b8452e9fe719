"""What every authenticator is."""

from collections.abc import Mapping
from typing import Any, Protocol

from auth.principal import Principal


class Authenticator(Protocol):
    """Establishes who sends a request."""

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal:
        """The principal behind a request.

        Args:
            scope: the request's ASGI HTTP scope.
        """
