"""The records of users and of their names, read as they are now and changed by compare-and-swap."""

from collections.abc import Callable
from typing import Final

from auth import records
from auth.records import User, Username, encode, user_key, username_key
from store.protocol import Store, Stored, StoreUnavailableError

_TRIES: Final = 20


class UnknownUserError(Exception):
    """There is no such user, or not any more."""


class UserRecords:
    """Users by id and by name. Every method raises `StoreUnavailableError` where the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, user_id: str) -> User | None:
        """The user with an id."""
        stored = await self._store.get(user_key(user_id), consistent=True)
        return None if stored is None else records.user(stored.record)

    async def holder(self, name: str) -> str | None:
        """The id of whoever has a canonical name; the user may be gone."""
        held = await self._held(name)
        return None if held is None else records.username(held.record).user_id

    async def change(self, user_id: str, changed: Callable[[User], User]) -> User:
        """Write what `changed` makes of a user, as often as somebody else was faster; what was written.

        Raises:
            UnknownUserError: the user is gone.
        """
        for _ in range(_TRIES):
            seen = await self._store.get(user_key(user_id), consistent=True)
            if seen is None:
                raise UnknownUserError("There is no such user any more.")
            user = changed(records.user(seen.record))
            if await self._store.replace(seen, encode(user, seen.record)):
                return user
        raise StoreUnavailableError("a user's record changes too fast")

    async def claim(self, name: str, user_id: str) -> bool:
        """Take a name for a user who is stored already; so a name whose user is not there is nobody's any more."""
        record = encode(Username(user_id))
        if await self._store.insert(username_key(name), record):
            return True
        held = await self._held(name)
        if held is None:
            return await self._store.insert(username_key(name), record)
        if await self.get(records.username(held.record).user_id) is not None:
            return False
        return await self._store.replace(held, record)

    async def release(self, name: str, user_id: str, now: int) -> None:
        """Free a name if it is still that user's."""
        held = await self._held(name)
        if held is not None and records.username(held.record).user_id == user_id:
            # Deleting could hit the name's next holder.
            await self._store.replace(held, held.record, expires=now)

    async def _held(self, name: str) -> Stored | None:
        return await self._store.get(username_key(name), consistent=True)


def renewed(user: User, hashed: str) -> User:
    """A user with a new password: grants and sessions of before are dead, and a lock is lifted."""
    return user._replace(epoch=user.epoch + 1, password_hash=hashed, failures=0, locked_until=0)
