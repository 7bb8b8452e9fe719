"""Grants as the store keeps them: read consistently, changed by one conditional write each."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from auth import records
from auth.records import Grant, Revocation, User
from auth.server.config import MINUTE, Config
from store.protocol import Store, Stored, StoreUnavailableError

ATTEMPTS = 16
"""So often a write that another's was faster than is decided anew, before the store counts as too busy."""

LEEWAY = MINUTE
"""A grant outlives its access tokens by so much, so that none of them is taken for revoked."""

Prepare = Callable[[Grant, str | None], Awaitable[None]]
"""Makes an answer before what it costs is consumed.

Awaited with a grant as it will be and its refresh token, if it has one, before the write that makes it so. What it
raises leaves the grant as it is: a key service that is down must cost no client its code or its refresh token. It may
be awaited again, when another write was faster; only the last time counts.
"""


class Seen(NamedTuple):
    """A grant as it was read, and what a write compares."""

    stored: Stored
    grant: Grant


class GrantRecords:
    """Reads and writes grants, and their users."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config

    async def read(self, grant_id: str) -> Seen | None:
        """A grant, with every write that was answered before."""
        stored = await self._store.get(records.grant_key(grant_id), consistent=True)
        return Seen(stored, records.grant(stored.record)) if stored else None

    async def insert(self, grant: Grant, expires: int) -> None:
        """Write a new grant.

        Args:
            grant: with an id of its own.
            expires: epoch seconds.

        Raises:
            StoreUnavailableError: there is a grant with this id, or the store gave no answer.
        """
        key, owner = records.grant_key(grant.id), records.grants_of(grant.user_id)
        if not await self._store.insert(key, records.encode(grant), expires=expires, owner=owner):
            raise StoreUnavailableError("A new grant's id was taken.")

    async def replace(self, seen: Seen, grant: Grant, now: int) -> bool:
        """Write an active grant over what was seen, to live as long as a grant that was used now; whether it won."""
        config = self._config
        longest = max(config.redemption_mark, config.access_token + LEEWAY)
        expires = now + (max(config.refresh_token, longest) if grant.refreshable else longest)
        return await self._store.replace(seen.stored, records.encode(grant, seen.stored.record), expires=expires)

    async def end(self, seen: Seen, reason: str, now: int) -> bool:
        """Revoke what was seen; whether no other write came first. It is remembered until it would have expired."""
        revoked = seen.grant._replace(revoked=Revocation(now, reason))
        return await self._store.replace(
            seen.stored, records.encode(revoked, seen.stored.record), expires=seen.stored.expires
        )

    async def user(self, user_id: str) -> User | None:
        """A user, if there is one who is not disabled."""
        stored = await self._store.get(records.user_key(user_id), consistent=True)
        user = records.user(stored.record) if stored else None
        return None if user is None or user.disabled else user

    async def backed(self, grant: Grant) -> bool:
        """Whether the user who gave a grant still stands behind it."""
        user = await self.user(grant.user_id)
        return user is not None and user.epoch == grant.epoch


async def nothing(_grant: Grant, _refresh_token: str | None) -> None:
    """Prepare nothing."""


def too_busy() -> StoreUnavailableError:
    """What to raise once `ATTEMPTS` writes have lost."""
    return StoreUnavailableError("A grant was changed too often at once.", retry_after=1)
