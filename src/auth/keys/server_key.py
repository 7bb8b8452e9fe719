"""The key that seals what this server hands out and takes back: refresh tokens, forms, cookies."""

import hashlib
import hmac
import os
from collections.abc import Awaitable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import anyio.to_thread

from auth.keys import files
from auth.keys.errors import KeyUnavailableError

SHORTEST: Final = 32
"""Characters of a secret."""

FILE: Final = "server.key"
"""Name of the file in the store's folder."""


class SealingSecrets(NamedTuple):
    """The server's secret, and the one before it was rotated, if that is known."""

    current: str
    previous: str | None = None


class SecretSource(Protocol):
    """Where the secrets come from."""

    def __call__(self, *, refresh: bool = False) -> Awaitable[SealingSecrets]:
        """The secrets; `refresh` looks for newer ones, now and then.

        Raises:
            OAuthError: they cannot be read now.
        """
        ...


class ServerKey:
    """Keys per purpose, each an HMAC under the server's secret, so that what is sealed for one opens no other.

    Args:
        source: where the secret comes from; `FileSecret` where none is configured.
    """

    def __init__(self, source: SecretSource) -> None:
        self._source = source

    async def current(self, purpose: str) -> bytes:
        """The key that seals: 32 bytes.

        Raises:
            KeyUnavailableError: there is no usable secret.
        """
        return (await self.accepted(purpose))[0]

    async def accepted(self, purpose: str, *, refresh: bool = False) -> tuple[bytes, ...]:
        """The keys that open: the one that seals, then the one before a rotation.

        Args:
            purpose: what for; one string for each use.
            refresh: look for a newer secret first. To be asked for before something is refused for good: another
                machine may have sealed it with a secret that this one has not seen yet.

        Raises:
            KeyUnavailableError: there is no usable secret.
        """
        current, previous = await self._source(refresh=refresh)
        if len(current) < SHORTEST:
            reason = f"The server's secret (SERVER_SECRET, or the file {FILE}) must have {SHORTEST} characters or more."
            raise KeyUnavailableError(reason)
        # One that was too short is what an operator may just have mended.
        secrets = [current, *([previous] if previous and len(previous) >= SHORTEST else [])]
        return tuple(hmac.digest(secret.encode(), f"mcpx {purpose}".encode(), hashlib.sha256) for secret in secrets)


class FileSecret:
    """A secret in a file, made by whoever first needs it; enough where one machine serves.

    Args:
        folder: the store's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._known: SealingSecrets | None = None

    async def __call__(self, *, refresh: bool = False) -> SealingSecrets:
        """The secret in the file.

        Raises:
            KeyUnavailableError: the file cannot be read or written.
        """
        if self._known is None or refresh:
            self._known = SealingSecrets(await anyio.to_thread.run_sync(self._read_or_make))
        return self._known

    def _read_or_make(self) -> str:
        data = files.read(self._path)
        if data is None:
            files.create(self._path, os.urandom(32).hex().encode())
            data = files.read(self._path) or b""
        return data.decode("utf-8", "replace").strip()
