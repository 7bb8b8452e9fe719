"""Passwords: which ones may be chosen, and how they are kept (bcrypt, off the event loop)."""

import base64
import hashlib
import hmac
import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from anyio import CapacityLimiter

PUBLISHED: Final = "OMG!letmein"
"""The password that `mcpuser` has on a laptop. Everybody can read it, so it is good on loopback only."""

LEAST_CHARACTERS: Final = 12
MOST_BYTES: Final = 1024
LEAST_COST: Final = 12

# A hash takes a core for a quarter of a second: more of them at once only make each other late.
_AT_ONCE: Final = 4
_NOBODYS: Final = "R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"


class UnfitPasswordError(ValueError):
    """The password may not be chosen; the message says why and never holds it."""


class Passwords:
    """Hashes and checks passwords.

    Args:
        cost: bcrypt's, the logarithm of the work; 12 or more wherever a password is worth something.
    """

    def __init__(self, cost: int) -> None:
        self._cost = cost

    async def hashed(self, password: str) -> str:
        """The password's hash, salted."""
        from anyio.to_thread import run_sync

        return await run_sync(_hashed, password, self._cost, limiter=self._limiter)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the hash is this password's; None is no password's, and takes as long to find out."""
        from anyio.to_thread import run_sync

        right = await run_sync(_matches, password, hashed or nobodys(self._cost), limiter=self._limiter)
        return right and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether the hash was made with less work than one made now."""
        return int(hashed.split("$")[2]) < self._cost

    @cached_property
    def _limiter(self) -> "CapacityLimiter":
        from anyio import CapacityLimiter

        return CapacityLimiter(_AT_ONCE)


def check_new(password: str, username: str) -> None:
    """Refuse a password that nobody should choose.

    Args:
        password: as typed, twice the same.
        username: canonical.

    Raises:
        UnfitPasswordError: it is too short, too long, blank, the username, or published.
    """
    if (reason := _unfit(_normal(password), username)) is not None:
        raise UnfitPasswordError(reason)


def published(password: str) -> bool:
    """Whether it is the password that the documentation tells everybody."""
    return hmac.compare_digest(_bytes(password), PUBLISHED.encode())


def nobodys(cost: int) -> str:
    """A well-formed hash of a cost that no known password has: work for a name that nobody has."""
    return f"$2b${cost:02}${_NOBODYS}"


def _unfit(password: str, username: str) -> str | None:
    size = len(_bytes(password))
    name = unicodedata.normalize("NFKC", password).casefold().strip() if size <= MOST_BYTES else ""
    rules = {
        "That password is in the documentation, for everybody to read. Choose another.": published(password),
        f"A password has at least {LEAST_CHARACTERS} characters.": len(password) < LEAST_CHARACTERS,
        f"A password has at most {MOST_BYTES} bytes.": size > MOST_BYTES,
        "A password is not blank.": not password.strip(),
        "A password has no control characters.": any(unicodedata.category(one) in ("Cc", "Cs") for one in password),
        "A password is not the username.": name == username,
    }
    return next((reason for reason, broken in rules.items() if broken), None)


def _normal(password: str) -> str:
    # Keyboards differ in how they write an accented letter.
    return unicodedata.normalize("NFC", password)


def _bytes(password: str) -> bytes:
    return _normal(password).encode(errors="surrogatepass")


def _prehashed(password: str) -> bytes:
    """What bcrypt is given, which reads 72 bytes at most, and none behind a NUL."""
    return base64.b64encode(hashlib.sha256(_bytes(password)).digest())


def _hashed(password: str, cost: int) -> str:
    import bcrypt

    return bcrypt.hashpw(_prehashed(password), bcrypt.gensalt(cost)).decode()


def _matches(password: str, hashed: str) -> bool:
    import bcrypt

    return bcrypt.checkpw(_prehashed(password), hashed.encode())
