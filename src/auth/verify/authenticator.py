"""What every authenticator is, and how it refuses."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from auth.principal import Principal


class RefusedError(Exception):
    """The request is not let in.

    Attributes:
        error: RFC 6750's code, and the `error` member of the reply; None where no credentials were sent at all.
        description: one sentence for whoever runs the client; never holds anything of the token.
        status: 401; 403 for a good token that allows too little; 400 for a request that no token would repair.
        scopes: all that is needed, where a wider grant would help.
    """

    def __init__(self, error: str | None, description: str, status: int = 401, *, scopes: Collection[str] = ()) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status
        self.scopes = frozenset(scopes)


class Authenticator(Protocol):
    """Establishes who sends a request."""

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal:
        """The principal behind a request.

        Args:
            scope: the request's ASGI HTTP scope.

        Raises:
            RefusedError: there are no credentials, or they are not good.
            store.protocol.StoreUnavailableError, auth.errors.TemporarilyUnavailableError: whether they are good cannot
                be told now.
        """
        ...
