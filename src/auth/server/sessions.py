"""Login sessions: browsers that signed in. The cookie is a random value, and only its hash is stored."""

import hashlib
import re
from collections.abc import Callable
from typing import Final

from auth import base64url, records
from auth.records import LoginSession, User, encode, session_key, user_key
from auth.server.config import Config
from store.protocol import Store

_COOKIE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_BYTES: Final = 32


class Sessions:
    """Opens, finds and closes sessions. Every method raises `StoreUnavailableError` where the store does not answer.

    Args:
        store: where they and the users are.
        config: says how long a session lasts.
        clock: epoch seconds.
        randomness: that many random bytes.
    """

    def __init__(
        self, store: Store, config: Config, clock: Callable[[], float], randomness: Callable[[int], bytes]
    ) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._randomness = randomness

    async def open(self, user: User) -> str:
        """The cookie of a new session for a user who has just signed in."""
        cookie = base64url.encode(self._randomness(_BYTES))
        now = int(self._clock())
        session = LoginSession(user.id, user.epoch, created=now, expires=now + self._config.session)
        if not await self._store.insert(_key(cookie), encode(session), expires=session.expires):
            raise RuntimeError("the source of randomness repeats itself")
        return cookie

    async def find(self, cookie: str) -> User | None:
        """Who is signed in by a cookie, as the user is now; None once the session, or the user's epoch, has ended."""
        if not _COOKIE.fullmatch(cookie):
            return None
        stored = await self._store.get(_key(cookie), consistent=True)
        if stored is None:
            return None
        session = records.login_session(stored.record)
        found = await self._store.get(user_key(session.user_id), consistent=True)
        user = records.user(found.record) if found else None
        return user if user and _alive(session, user, self._clock()) else None

    async def close(self, cookie: str) -> None:
        """End a session, if there is one."""
        await self._store.delete(_key(cookie))


def _alive(session: LoginSession, user: User, now: float) -> bool:
    return now < session.expires and session.epoch == user.epoch and not user.disabled


def _key(cookie: str) -> str:
    return session_key(hashlib.sha256(cookie.encode(errors="surrogatepass")).hexdigest())
