"""Stands in for those parts of the authorization server that are not there yet."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from auth import records
from auth.server.server import AuthorizationServer
from store.protocol import Stored


def _there(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def sqlite(path: Path, clock: Callable[[], float]) -> Any:
    if not _there("store.sqlite"):
        return MemoryStore(clock)
    from store.sqlite import SqliteStore

    return SqliteStore(path, clock)


def keys(store: Any, folder: Path, secret: bytes, config: Any, clock: Callable[[], float]) -> tuple[Any, Any]:
    server_key: Any = ServerKeyDouble(secret)
    signing: Any = None
    if _there("auth.keys.keys"):
        from auth.keys.keys import Keys

        signing = Keys(
            store, folder=folder, kms_key=None, hmac_secret=secret, access_token=config.access_token, clock=clock
        )
    return signing, server_key


def complete(server: AuthorizationServer) -> None:
    made = server.__dict__
    if not _there("auth.tokens"):
        made["tokens"] = TokensDouble()
    if not _there("auth.server.clients"):
        made["clients"] = ClientsDouble(server)
    if not _there("auth.server.limits"):
        made["limits"] = LimitsDouble()


class MemoryStore:
    """The store's promises in a dictionary."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.records: dict[str, Stored] = {}
        self._counters: dict[str, tuple[int, int]] = {}
        self._version = 0

    def _live(self, key: str) -> Stored | None:
        stored = self.records.get(key)
        return None if stored and stored.expires is not None and stored.expires <= self._clock() else stored

    def _put(self, key: str, record: bytes, expires: int | None, owner: str | None) -> bool:
        self._version += 1
        self.records[key] = Stored(key, record, str(self._version), expires, owner)
        return True

    async def get(self, key: str, *, consistent: bool = False) -> Stored | None:
        return self._live(key)

    async def get_many(self, keys: Sequence[str]) -> dict[str, Stored]:
        return {key: stored for key in keys if (stored := self._live(key))}

    async def insert(self, key: str, record: bytes, *, expires: int | None = None, owner: str | None = None) -> bool:
        return self._live(key) is None and self._put(key, record, expires, owner)

    async def replace(self, seen: Stored, record: bytes, *, expires: int | None = None) -> bool:
        now = self._live(seen.key)
        return now is not None and now.version == seen.version and self._put(seen.key, record, expires, now.owner)

    async def delete(self, key: str) -> None:
        self.records.pop(key, None)

    async def list(self, owner: str, *, after: str | None = None, limit: int = 100) -> list[Stored]:
        keys = sorted(key for key, stored in self.records.items() if stored.owner == owner and key > (after or ""))
        return [stored for key in keys if (stored := self._live(key))][:limit]

    async def add(self, counter: str, n: int, *, expires: int) -> int:
        count, until = self._counters.get(counter, (0, 0))
        self._counters[counter] = (n if until <= self._clock() else count + n, expires)
        return self._counters[counter][0]

    async def aclose(self) -> None:
        pass


class ServerKeyDouble:
    """One secret per purpose, the newest first."""

    def __init__(self, *secrets: bytes) -> None:
        self.secrets = secrets

    async def current(self, purpose: str) -> bytes:
        return (await self.accepted(purpose))[0]

    async def accepted(self, purpose: str) -> tuple[bytes, ...]:
        import hashlib

        return tuple(hashlib.sha256(purpose.encode() + secret).digest() for secret in self.secrets)


class TokensDouble:
    """Unsigned tokens."""

    async def issue(self, **members: Any) -> str:
        import base64
        import json

        members["scope"] = " ".join(sorted(members.pop("scopes")))
        body = base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")
        return f"e30.{body}.double"


class ClientsDouble:
    """Clients that the test stored."""

    def __init__(self, server: AuthorizationServer) -> None:
        self._store = server.store

    async def find(self, client_id: str, *, fetch: bool) -> records.Client | None:
        stored = await self._store.get(records.client_key(client_id))
        return records.client(stored.record) if stored else None

    async def touch(self, client: records.Client) -> None:
        pass


class LimitsDouble:
    """No limits."""

    async def token(self, client_id: str) -> None:
        pass
