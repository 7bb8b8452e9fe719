"""Tokens that were verified before, so that verifying one again costs a hash; the same for whoever issued them."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol, TypeVar

LEEWAY: Final = 10
"""Seconds by which the clocks of two machines may differ."""

LONGEST: Final = 8192
"""Characters of a token that is looked at."""

REMEMBERED: Final = 1000
"""Verified tokens that are kept."""


class InvalidTokenError(Exception):
    """The token is not good; the message is a sentence for whoever runs the client, and holds nothing of the token."""


class Ending(Protocol):
    """What a token said, which holds until it ends."""

    @property
    def ends(self) -> float:
        """Epoch seconds from which on the token is not good, whatever else."""
        ...


T = TypeVar("T", bound=Ending)


def check_size(token: str) -> None:
    """Look at no token that cannot be one.

    Raises:
        InvalidTokenError: it is too long, or not ASCII.
    """
    if len(token) > LONGEST or not token.isascii():
        raise InvalidTokenError("The access token is malformed.")


class VerifiedTokens(Generic[T]):
    """A cache of what anybody with the keys can compute again, so it carries no meaning between requests.

    Args:
        most: tokens that are kept.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._known: dict[bytes, T] = {}
        self._keys: object = None

    async def recall(self, token: str, keys: object, now: float, verify: Callable[[], Awaitable[T]]) -> T:
        """What a token says.

        Args:
            token: as it came.
            keys: what verifies tokens; another object makes all that was verified before forgotten.
            now: epoch seconds; a token that ended by then is forgotten, and what it says is told this once more.
            verify: gives what an unknown token says, or raises.
        """
        if keys is not self._keys:
            self._known, self._keys = {}, keys
        # While a token is verified the keys may change; it then belongs to those that it was verified with.
        known = self._known
        digest = hashlib.sha256(token.encode()).digest()
        found = known.get(digest)
        if found is None:
            found = await verify()
            if now < found.ends:
                self._remember(known, digest, found)
        elif now >= found.ends:
            known.pop(digest, None)
        return found

    def _remember(self, known: dict[bytes, T], digest: bytes, found: T) -> None:
        if len(known) >= self._most:
            del known[next(iter(known))]
        known[digest] = found
