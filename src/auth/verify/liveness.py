"""Whether what a token stands for still lives: its grant, its user and its client.

A token's signature says what was allowed; this asks the store whether it still is, once a minute for each grant.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import anyio

from auth import records
from auth.records import Grant, User
from store.protocol import Store, Stored, StoreUnavailableError

FRESH: Final = 60
"""Seconds for which an answer is used again; so long a revocation may take."""

STALE: Final = 300
"""Seconds for which an answer serves while the store gives none."""

RETRY: Final = 2
"""Seconds after a failure in which an older answer serves at once, so that a dead store does not slow every call."""

REMEMBERED: Final = 10_000
"""Answers that are kept: a few megabytes."""

LOCKS: Final = 64
"""Readings at once; those of one grant wait for each other."""

CLIENT: Final = "client:"
"""Begins the subject of a client that acts for itself."""


Subject = tuple[str | None, str, str]
"""A token's grant, its user (or `client:ID`) and its client."""


class Answer(NamedTuple):
    """What the store said.

    Attributes:
        at: epoch seconds.
        until: it is used again until then.
    """

    alive: bool
    at: float
    until: float

    def holds(self, now: float) -> bool:
        """Whether it need not be asked for again; death is for good, life is not, nor is a clock that was set back."""
        return now < self.until and (not self.alive or self.at <= now)

    def serves(self, now: float) -> bool:
        """Whether it serves while the store does not answer."""
        return self.alive and 0 <= now - self.at < STALE


class Liveness:
    """Asks the store whether tokens' grants live, and remembers the answers.

    What is remembered is a copy of the store's records with an age, by wall clock: a process without it, or a frozen
    sandbox that wakes up, asks again and hears the same. It decides nothing that another process would not; that a
    code or a refresh token is used once is decided by a conditional write in the store, never here.

    Args:
        store: where grants, users and clients are.
        clock: epoch seconds.
        remembered: answers that are kept.
    """

    def __init__(self, store: Store, clock: Callable[[], float], remembered: int = REMEMBERED) -> None:
        self._store = store
        self._clock = clock
        self._remembered = remembered
        self._answers: dict[Subject, Answer] = {}
        self._locks = [anyio.Lock() for _ in range(LOCKS)]
        self._failures = [0] * LOCKS
        self._failed_at = float("-inf")

    async def alive(self, grant_id: str | None, subject: str, client_id: str, expires: int) -> bool:
        """Whether a token is still to be honoured.

        Args:
            grant_id: of the token; None where a client acts for itself.
            subject: the user's id, or `client:ID`.
            client_id: who holds the token.
            expires: when the token ends, epoch seconds; a no is remembered so long.

        Raises:
            StoreUnavailableError: the store does not answer, and what it said before is too old.
        """
        which = (grant_id, subject, client_id)
        known = self._answers.get(which)
        now = self._clock()
        if known is not None and known.holds(now):
            return known.alive
        if known is not None and known.serves(now) and 0 <= now - self._failed_at < RETRY:
            return True
        return await self._waited(which, expires)

    async def _waited(self, which: Subject, expires: int) -> bool:
        """The answer of whoever of this grant's requests asks first."""
        place = hash(which) % LOCKS
        failures = self._failures[place]
        async with self._locks[place]:
            known = self._answers.get(which)
            if known is not None and known.holds(self._clock()):
                return known.alive
            # Those who waited for a reading that failed do not each wait for one more.
            if failures == self._failures[place]:
                try:
                    return await self._ask(which, expires)
                except StoreUnavailableError:
                    self._failures[place] += 1
                    self._failed_at = self._clock()
                    if known is None or not known.serves(self._clock()):
                        raise
        if known is not None and known.serves(self._clock()):
            return True
        raise StoreUnavailableError("whether the grant lives cannot be read")

    async def _ask(self, which: Subject, expires: int) -> bool:
        alive = await self._read(which)
        now = self._clock()
        self._answers.pop(which, None)
        if len(self._answers) >= self._remembered:
            del self._answers[next(iter(self._answers))]
        self._answers[which] = Answer(alive, now, now + FRESH if alive else expires + FRESH)
        return alive

    async def _read(self, which: Subject) -> bool:
        keys = keys_of(*which)
        if not keys:
            return False
        if living(await self._store.get_many(keys), keys):
            return True
        # What was written a moment ago may be missing from that reading, and a no is for good.
        read = {key: await self._store.get(key, consistent=True) for key in keys}
        return living({key: stored for key, stored in read.items() if stored}, keys)


def keys_of(grant_id: str | None, subject: str, client_id: str) -> list[str]:
    """The records that a token's life hangs on: its grant, user and client, or only the last one; or there is none."""
    is_client = subject.startswith(CLIENT)
    if grant_id is None:
        return [records.client_key(client_id)] if subject == CLIENT + client_id else []
    client = records.needed_client(client_id)
    return [] if is_client else [records.grant_key(grant_id), records.user_key(subject), *([client] if client else [])]


def living(found: Mapping[str, Stored], keys: Sequence[str]) -> bool:
    """Whether those of the records `keys_of` that were found let a token live."""
    if not all(key in found for key in keys):
        return False
    if len(keys) == 1:
        return True
    grant, user = (found[key].record for key in keys[:2])
    return grant_lives(records.grant(grant), records.user(user))


def grant_lives(grant: Grant, user: User) -> bool:
    """Whether a grant is its user's, and neither was ended: a raised epoch ends all grants of before."""
    return grant.revoked is None and grant.user_id == user.id and not user.disabled and grant.epoch == user.epoch
