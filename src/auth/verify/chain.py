"""Several ways in at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from auth.principal import Principal
from auth.verify.authenticator import Authenticator, RefusedError


class ChainAuthenticator:
    """The first way whose credentials a request carries decides; nobody gets a second chance by another.

    Args:
        authenticators: one or more; what the first says to a request without credentials is what the client sees.
    """

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = tuple(authenticators)

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal:
        """The principal that the first way finds which finds credentials.

        Raises:
            RefusedError: there are no credentials, or they are not good.
            StoreUnavailableError: whether they are good cannot be told now.
        """
        first: RefusedError | None = None
        for authenticator in self._authenticators:
            try:
                return await authenticator.authenticate(scope)
            except RefusedError as refused:
                if refused.error is not None:
                    raise
                first = first or refused
        raise first or RefusedError(None, "Nobody may come in.")
