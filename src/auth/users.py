"""Users: made, changed and removed by compare-and-swap on their one record."""

import time
from collections.abc import Callable
from functools import cached_property
from secrets import token_bytes
from typing import TYPE_CHECKING, Final

from auth import records
from auth.events import Event, Sink, ignore
from auth.passwords import PUBLISHED, Passwords, UnfitPasswordError, check_new
from auth.records import USERS, User, encode, user_key
from auth.server.config import HOUR, Config
from auth.sign_in import SignInRefusedError
from auth.user_records import UnknownUserError, UserRecords, renewed
from auth.usernames import UnfitUsernameError, canonical
from store.protocol import Store

if TYPE_CHECKING:
    from auth.doorkeeper import Doorkeeper

__all__ = ["DEFAULT_USERNAME", "SignInRefusedError", "UnknownUserError", "UsernameTakenError", "Users"]

DEFAULT_USERNAME: Final = "mcpuser"
"""The user that a laptop begins with."""

# A user without its name yet; a crash in between leaves nothing behind.
_UNFINISHED: Final = HOUR

Clock = Callable[[], float]
Randomness = Callable[[int], bytes]


class UsernameTakenError(Exception):
    """Somebody has that name."""


class Users:
    """Everybody who can sign in. Every method raises `StoreUnavailableError` where the store does not answer.

    Args:
        store: where they are kept.
        config: bcrypt's cost, and the limits of signing in.
        events: told of every change and of every sign-in.
        clock: epoch seconds.
        randomness: that many random bytes.
    """

    def __init__(
        self,
        store: Store,
        config: Config,
        events: Sink = ignore,
        clock: Clock = time.time,
        randomness: Randomness = token_bytes,
    ) -> None:
        self._store = store
        self._records = UserRecords(store)
        self._config = config
        self._events = events
        self._clock = clock
        self._randomness = randomness
        self._passwords = Passwords(config.password_cost)

    async def add(self, username: str, password: str) -> User:
        """A new user.

        Raises:
            auth.usernames.UnfitUsernameError: nobody can have that name.
            auth.passwords.UnfitPasswordError: nobody should have that password.
            UsernameTakenError: somebody has the name.
        """
        name = canonical(username)
        check_new(password, name)
        return await self._add(name, password)

    async def add_default(self, *, public: bool) -> User:
        """`mcpuser` with the password that everybody can read, for the machine that it is made on.

        Args:
            public: whether other machines reach the server.

        Raises:
            auth.passwords.UnfitPasswordError: they do.
            UsernameTakenError: it exists.
        """
        if public:
            raise UnfitPasswordError("A server that others reach gets no user whose password everybody knows.")
        return await self._add(DEFAULT_USERNAME, PUBLISHED)

    async def find(self, username: str) -> User | None:
        """The user with a name, however it is written; None where nobody has it."""
        try:
            name = canonical(username)
        except UnfitUsernameError:
            return None
        holder = await self._records.holder(name)
        return None if holder is None else await self.get(holder)

    async def get(self, user_id: str) -> User | None:
        """The user with an id (`sub`), as it is now."""
        return await self._records.get(user_id)

    async def list(self, after: str | None = None, limit: int = 100) -> list[User]:
        """Users in the order of their ids, those behind the id `after`; may lag."""
        behind = None if after is None else user_key(after)
        return [records.user(stored.record) for stored in await self._store.list(USERS, after=behind, limit=limit)]

    async def sign_in(self, username: str, password: str, *, public: bool) -> User:
        """The user whom a name and a password are of.

        Args:
            username: as typed.
            password: as typed.
            public: whether the server's URL is not loopback; the published password is then nobody's. Where the
                configuration says that other machines reach the server, it is nobody's either way.

        Raises:
            SignInRefusedError: nobody is let in, in the same words and after the same work
                whether the name is unknown, the password wrong, or the user locked or disabled.
        """
        return await self._doorkeeper.admit(username, password, public=public or self._config.public)

    async def change_password(self, user: User, password: str, *, current: str | None = None) -> User:
        """Give a user a new password; grants and sessions of before are dead, and a lock is lifted.

        Args:
            user: as read before.
            password: the new one.
            current: the old password, where the person asks for the change; tries of it count as sign-ins.

        Raises:
            auth.passwords.UnfitPasswordError: nobody should have that password.
            SignInRefusedError: the old password is not the user's, or the user is locked.
            UnknownUserError: the user is gone.
        """
        check_new(password, user.username)
        hashed = await self._passwords.hashed(password)
        if current is None:
            changed = await self._records.change(user.id, lambda old: renewed(old, hashed))
        else:
            changed = await self._doorkeeper.renew(user, current, hashed)
        self._events(Event("password_changed", {"user_id": user.id, "by": "operator" if current is None else "user"}))
        return changed

    async def disable(self, user: User) -> User:
        """Let a user in no more; grants and sessions are dead.

        Raises:
            UnknownUserError: the user is gone.
        """
        changed = await self._records.change(user.id, lambda old: old._replace(epoch=old.epoch + 1, disabled=True))
        self._events(Event("user_disabled", {"user_id": user.id}))
        return changed

    async def enable(self, user: User) -> User:
        """Let a user sign in again, also one who is locked; what was dead stays dead.

        Raises:
            UnknownUserError: the user is gone.
        """
        changed = await self._records.change(user.id, _enabled)
        self._events(Event("user_enabled", {"user_id": user.id}))
        return changed

    async def remove(self, user: User) -> None:
        """Remove a user; the name is free, and nothing that the user allowed lives on.

        Raises:
            UnknownUserError: the user is gone.
        """
        # In this order: wherever it breaks off, there is no access left, and the name can be removed again or taken.
        await self._records.change(user.id, lambda old: old._replace(epoch=old.epoch + 1, disabled=True))
        await self._records.release(user.username, user.id, int(self._clock()))
        await self._store.delete(user_key(user.id))
        self._events(Event("user_removed", {"user_id": user.id}))

    @cached_property
    def _doorkeeper(self) -> "Doorkeeper":
        from auth.doorkeeper import Doorkeeper

        return Doorkeeper(self._store, self._passwords, self._config.limits, self._events, self._clock)

    async def _add(self, name: str, password: str) -> User:
        if await self.find(name) is not None:
            raise UsernameTakenError("Somebody has that name.")
        now = int(self._clock())
        hashed = await self._passwords.hashed(password)
        user = User(id=self._randomness(16).hex(), username=name, epoch=1, password_hash=hashed, created=now)
        key = user_key(user.id)
        if not await self._store.insert(key, encode(user), expires=now + _UNFINISHED, owner=USERS):
            raise RuntimeError("the source of randomness repeats itself")
        if not await self._records.claim(name, user.id):
            await self._store.delete(key)
            raise UsernameTakenError("Somebody has that name.")
        added = await self._records.change(user.id, lambda unfinished: unfinished)
        self._events(Event("user_added", {"user_id": user.id}))
        return added


def _enabled(user: User) -> User:
    return user._replace(disabled=False, failures=0, locked_until=0)
