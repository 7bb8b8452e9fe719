"""The RS256 keys of a server: the set in the store, and the places where the private keys are."""

from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from auth.events import Event, Sink
from auth.keys import rsa
from auth.keys.cached_set import CachedKeySet
from auth.keys.errors import KeyUnavailableError
from auth.keys.key_set import HEAD_START, KMS_HEAD_START, joined, signing
from auth.keys.kms import PREFIX as IN_KMS
from auth.keys.kms import KmsKeys
from auth.keys.pem import PemFiles
from auth.keys.place import Made, Place
from auth.records import KeySet, SigningKey
from store.protocol import StoreUnavailableError

ATTEMPTS: Final = 10
"""How often a change of the set is tried again because somebody else changed it first."""

T = TypeVar("T")


class KeyRing:
    """Makes keys, lets them into the set by one conditional write, and signs with them.

    A KMS key that the settings name and that was never in the set joins it. PEM files are used where there is no other
    key yet: a set of KMS keys stays one on a machine that was not told of KMS.

    Args:
        keys: the set.
        pem: keys in files.
        kms: keys in KMS.
        kms_key: ARN, id or alias of the KMS key that the settings name, if any.
        access_token: seconds that an access token lives.
        clock: epoch seconds.
        events: told of keys that join and of keys that fail.
    """

    def __init__(
        self,
        keys: CachedKeySet,
        pem: PemFiles,
        kms: KmsKeys,
        *,
        kms_key: str | None,
        access_token: int,
        clock: Callable[[], float],
        events: Sink,
    ) -> None:
        self._set = keys
        self._pem = pem
        self._kms = kms
        self._kms_key = kms_key
        self._configured: str | None = None
        self._access_token = access_token
        self._clock = clock
        self._events = events
        self._lock = anyio.Lock()

    async def signing_key(self) -> SigningKey:
        """The key that signs now; the first one is made by whoever first asks.

        Raises:
            KeyUnavailableError: there is none yet, and none can be made.
            StoreUnavailableError: the store does not answer.
        """
        keys = await self._set.get()
        if not self._settled(keys):
            async with self._lock:
                keys = await self._settle()
        found = signing(keys, self._clock())
        if found is None:
            raise StoreUnavailableError("the key set is empty")
        return found

    async def sign(self, key: SigningKey, data: bytes) -> bytes:
        """The RS256 signature of these bytes.

        Raises:
            KeyUnavailableError: the private key cannot be used now.
        """
        return await self._in_thread(lambda: self._place(key).sign(key, data))

    async def rotate(self) -> SigningKey:
        """Let a new key join, where the one that signs is.

        Raises:
            KeyUnavailableError: no key can be made.
            StoreUnavailableError: the store does not answer.
        """
        current = await self.signing_key()
        place = self._place(current)
        made = await self._in_thread(lambda: place.successor(current))
        return await self._join(place, made, only_first=False)

    def _settled(self, keys: KeySet) -> bool:
        return bool(keys.keys) and (self._kms_key is None or self._configured is not None)

    async def _settle(self) -> KeySet:
        """The set with a key in it, and the one that the settings name known for what it is."""
        keys = (await self._set.read()).keys
        named = f"{IN_KMS}{self._kms_key}"
        if self._kms_key is not None and any(key.private == named for key in keys.keys):
            self._configured = named
        if self._settled(keys):
            return keys
        place: Place = self._pem if self._kms_key is None else self._kms
        made = await self._in_thread(lambda: place.successor(None))
        self._configured = (await self._join(place, made, only_first=self._kms_key is None)).private
        return await self._set.get()

    async def _join(self, place: Place, made: Made, *, only_first: bool) -> SigningKey:
        """Let a key join the set; with `only_first`, give up if there is one already."""
        kid = rsa.thumbprint(made.public)
        for _ in range(ATTEMPTS):
            keys, stored = await self._set.read()
            if known := next((key for key in keys.keys if key.id == kid), None):
                return known
            if only_first and keys.keys:
                await self._in_thread(lambda: place.discard(made))
                return keys.keys[-1]
            now = self._clock()
            new = SigningKey(kid, rsa.ALGORITHM, made.public, made.private, _start(keys, made, now))
            after = joined(keys, new, access_token=self._access_token, now=now, keep=self._kept(keys))
            if await self._set.write(stored, after):
                self._events(Event("signing_key_added", {"kid": kid, "place": made.private.partition(":")[0]}))
                return new
        raise StoreUnavailableError("the key set changes again and again")

    def _kept(self, keys: KeySet) -> frozenset[str]:
        """The keys that stay listed for good, so that the settings never bring an ended one back."""
        if self._kms_key is None:
            return frozenset(key.private for key in keys.keys if key.private.startswith(IN_KMS))
        return frozenset((self._configured,)) if self._configured else frozenset()

    def _place(self, key: SigningKey) -> Place:
        return self._kms if key.private.startswith(IN_KMS) else self._pem

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        except KeyUnavailableError as error:
            self._events(Event("signing_key_unavailable", {"reason": error.reason}, alarming=True))
            raise


def _start(keys: KeySet, made: Made, now: float) -> int:
    """When a key that joins now begins to sign: at once only if there is no other."""
    head_start = KMS_HEAD_START if made.private.startswith(IN_KMS) else HEAD_START
    return int(now) + (head_start if keys.keys else 0)
