"""Which key signs, which verify, and what the set is after one more has joined; times are epoch seconds."""

from collections.abc import Collection
from typing import Final

from auth.records import KeySet, SigningKey

MAX_AGE: Final = 300
"""Seconds for which a machine works with the set that it read."""

PAUSE: Final = 10
"""Seconds between two readings because of a key that is not in the set: anybody can make one up."""

PUBLISHED_AGE: Final = PAUSE
"""Seconds for which others may keep the published set."""

HEAD_START: Final = PAUSE + PUBLISHED_AGE + 5
"""Seconds for which a key is in the set before it signs.

Whoever then meets it for the first time may read again, even if somebody has just made it read for a made-up key; and
no set that is still being kept anywhere lacks it.
"""

KMS_HEAD_START: Final = MAX_AGE + 60
"""The same for a key in KMS: the tags by which a role may sign with it count only after up to five minutes (AWS KMS
Developer Guide, "Using tags to control access to KMS keys").
"""

OVERLAP: Final = 2 * MAX_AGE
"""Seconds for which an ended key verifies beyond its last token: machines that have not read again sign with it."""

KEPT: Final = 7 * 24 * 3600
"""Seconds for which an ended key is still listed."""


def usable(key: SigningKey, now: float) -> bool:
    """Whether what this key signed is to be trusted."""
    return key.until is None or now < key.until


def signing(keys: KeySet, now: float) -> SigningKey | None:
    """The key that signs: the newest that has had its head start, the first one at once."""
    started = [key for key in keys.keys if key.since <= now] or keys.keys[:1]
    return started[-1] if started else None


def joined(keys: KeySet, new: SigningKey, *, access_token: int, now: float, keep: Collection[str]) -> KeySet:
    """The set with one more key, which is to sign from `new.since` on.

    Args:
        keys: the set before.
        new: the key.
        access_token: seconds that an access token lives.
        now: what the time is.
        keep: places of keys that stay listed however long ago they ended.
    """
    end = new.since + access_token + OVERLAP
    before = (key if key.until is not None else key._replace(until=end) for key in keys.keys)
    return KeySet((*(key for key in before if key.private in keep or usable(key, now - KEPT)), new))
