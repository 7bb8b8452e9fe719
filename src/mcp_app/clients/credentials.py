"""Calls that need an API key, which may have been rotated since it was read."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from mcp_app.clients.errors import NotConfiguredError, RejectedKeyError, UpstreamError
from mcp_app.secrets import Secrets, SecretUnavailableError

T = TypeVar("T")


class KeyUnreadableError(UpstreamError):
    """The key is in Secrets Manager, which cannot be read."""

    message = "This server could not read its key for {service}. Try again later."


class ApiKey:
    """A service's key.

    Args:
        service: the service's name, for messages.
        name: the setting that holds the key.
        instead: other settings that may bring it.
    """

    def __init__(self, secrets: Secrets, service: str, name: str, *instead: str) -> None:
        self._secrets = secrets
        self._service = service
        self._name = name
        self._instead = instead

    async def value(self, *, refresh: bool = False) -> str | None:
        """The key, None where there is none.

        Raises:
            KeyUnreadableError: it cannot be read.
        """
        try:
            key = await self._secrets.get(self._name, refresh=refresh)
        except SecretUnavailableError:
            raise KeyUnreadableError(self._service) from None
        return (key or "").strip() or None

    async def use(self, call: Callable[[str], Awaitable[T]]) -> T:
        """What `call` makes of the key; where the key is refused, it is read again and tried once more if it changed.

        Raises:
            NotConfiguredError: there is no key.
            RejectedKeyError: the service refuses it.
        """
        key = await self.value()
        if key is None:
            raise NotConfiguredError(self._service, self._name, *self._instead)
        try:
            return await self._tried(call, key)
        except RejectedKeyError:
            newer = await self.value(refresh=True)
            if newer is None or newer == key:
                raise
        return await self._tried(call, newer)

    async def _tried(self, call: Callable[[str], Awaitable[T]], key: str) -> T:
        if key.isascii() and key.isprintable():
            with suppress(RejectedKeyError):
                return await call(key)
        raise RejectedKeyError(self._service, self._name)
