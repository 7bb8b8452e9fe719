"""No authentication: every request is the same anonymous principal's."""

from collections.abc import Mapping
from typing import Any

from auth.principal import ANONYMOUS, Principal


class NoAuthenticator:
    """Lets everybody in; for a laptop and for trusted networks."""

    async def authenticate(self, _scope: Mapping[str, Any]) -> Principal:
        """The anonymous principal, whatever the request holds."""
        return ANONYMOUS
