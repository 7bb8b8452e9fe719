"""Signing in: who is let in by a password, told in the same words and after the same work for everybody who is not."""

import hashlib
from collections.abc import Callable
from typing import Final

from auth import records
from auth.events import Event, Sink
from auth.passwords import Passwords, published
from auth.records import Attempts, User, attempts_key, encode
from auth.server.config import Limits
from auth.sign_in import SignInRefusedError, charged, forgotten_at, seconds_locked
from auth.user_records import UnknownUserError, UserRecords, renewed
from auth.usernames import UnfitUsernameError, canonical, canonical_or_typed
from store.protocol import Store, StoreUnavailableError

_TRIES: Final = 20


class Doorkeeper:
    """Lets users in.

    A name that nobody has costs what a user's costs: two reads, a write and a hash; and it is locked as a user's is.

    Args:
        store: where users and failures are.
        passwords: what checks passwords.
        limits: when a lock begins and how it grows.
        events: told `sign_in`, `sign_in_failed` and `user_locked`.
        clock: epoch seconds.
    """

    def __init__(
        self, store: Store, passwords: Passwords, limits: Limits, events: Sink, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._records = UserRecords(store)
        self._passwords = passwords
        self._limits = limits
        self._events = events
        self._clock = clock

    async def admit(self, username: str, password: str, *, public: bool) -> User:
        """The user whom a name and a password are of.

        Args:
            username: as typed.
            password: as typed.
            public: whether other machines reach the server; the published password is then nobody's.

        Raises:
            SignInRefusedError: nobody is let in.
        """
        holder = await self._holder(username)
        user = None if holder is None else await self._charge_user(holder)
        attempts = _attempts(user) if user else await self._charge_name(canonical_or_typed(username))
        right = await self._passwords.matches(password, user.password_hash if user else None)
        if not user or user.disabled or not right or (public and published(password)):
            raise self._refusal(_reason(user, right=right), user, attempts)
        hashed, now = await self._hash_of_today(user, password), int(self._clock())
        admitted = await self._write(user, lambda stored: stored._replace(password_hash=hashed, last_login=now))
        self._events(Event("sign_in", {"user_id": user.id}))
        return admitted

    async def renew(self, user: User, password: str, hashed: str) -> User:
        """Give a user who is signed in a new password; failures of the old one count as those of signing in do.

        Args:
            user: as read before.
            password: the old one, as typed.
            hashed: the new one's hash.

        Raises:
            SignInRefusedError: the old one is not the user's, or the user is locked, gone, or was changed meanwhile.
        """
        now = await self._charge_user(user.id)
        right = await self._passwords.matches(password, now.password_hash if now else None)
        if not now or now.disabled or not right:
            raise self._refusal(_reason(now, right=right), now, _attempts(now) if now else Attempts())
        return await self._write(now, lambda stored: renewed(stored, hashed))

    async def _holder(self, username: str) -> str | None:
        try:
            return await self._records.holder(canonical(username))
        except UnfitUsernameError:
            return None

    async def _charge_user(self, user_id: str) -> User | None:
        """The user with one more failure, as it is stored then; None where the user is gone."""
        try:
            return await self._records.change(user_id, self._charged)
        except UnknownUserError:
            return None

    def _charged(self, user: User) -> User:
        after = self._next(_attempts(user), user)
        return user._replace(failures=after.failures, locked_until=after.locked_until)

    async def _charge_name(self, name: str) -> Attempts:
        key = attempts_key(hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest())
        for _ in range(_TRIES):
            seen = await self._store.get(key, consistent=True)
            after = self._next(records.attempts(seen.record) if seen else Attempts(), None)
            record, expires = encode(after, seen.record if seen else None), forgotten_at(after)
            written = (
                await self._store.replace(seen, record, expires=expires)
                if seen
                else await self._store.insert(key, record, expires=expires)
            )
            if written:
                return after
        raise StoreUnavailableError("a name's record changes too fast")

    def _next(self, attempts: Attempts, user: User | None) -> Attempts:
        now = int(self._clock())
        if seconds_locked(attempts, now):
            raise self._refusal("locked", user, attempts)
        return charged(attempts, now, self._limits)

    def _refusal(self, reason: str, user: User | None, attempts: Attempts) -> SignInRefusedError:
        who = {"user_id": user.id} if user else {}
        wait = seconds_locked(attempts, int(self._clock()))
        self._events(Event("sign_in_failed", {"reason": reason, **who}))
        if wait and user and reason != "locked":
            self._events(Event("user_locked", {**who, "failures": attempts.failures, "seconds": wait}, alarming=True))
        return SignInRefusedError(wait or None)

    async def _write(self, proven: User, change: Callable[[User], User]) -> User:
        """Change a user and forget the failures, unless what the password proved is not so any more."""

        def cleared(user: User) -> User:
            if user.disabled or user.epoch != proven.epoch:
                raise self._refusal("changed", user, Attempts())
            return change(user)._replace(failures=0, locked_until=0)

        try:
            return await self._records.change(proven.id, cleared)
        except UnknownUserError:
            raise self._refusal("changed", proven, Attempts()) from None

    async def _hash_of_today(self, user: User, password: str) -> str:
        if not self._passwords.outdated(user.password_hash):
            return user.password_hash
        return await self._passwords.hashed(password)


def _attempts(user: User) -> Attempts:
    return Attempts(user.failures, user.locked_until)


def _reason(user: User | None, *, right: bool) -> str:
    if user is None:
        return "unknown user"
    if user.disabled:
        return "disabled"
    return "published password" if right else "wrong password"
