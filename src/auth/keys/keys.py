"""The keys that sign access tokens: in KMS, in PEM files, or one secret that several servers share."""

import hashlib
import hmac
import math
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auth import base64url
from auth.events import Sink, ignore
from auth.keys import jws, rsa
from auth.keys.cached_set import CachedKeySet
from auth.keys.key_set import usable
from auth.records import KeySet, SigningKey
from store.protocol import Store

if TYPE_CHECKING:
    from auth.keys.key_ring import KeyRing

SHORTEST_SECRET: Final = 32
"""Bytes; no less than the hash (RFC 7518, section 3.2)."""

SHARED: Final = SigningKey("hs256", "HS256", {}, "JWT_SECRET_KEY", 0)
"""How a shared secret is listed: its id says nothing of it, and it has no public part."""


class Keys:
    """Signs access tokens, and tells what verifies them. Nothing is read before it is needed.

    Either a shared secret signs and verifies (HS256), or the keys of the set in the store do (RS256); never both, so
    that no public key is ever taken for a secret.

    Args:
        store: where the key set is.
        folder: where PEM files are; None where there is none.
        kms_key: ARN, id or alias of the KMS key that signs first; None: PEM files, or the KMS keys that the set holds.
        hmac_secret: signs with HS256, and then nothing else is used; None: RS256.
        access_token: seconds that an access token lives, and so an ended key verifies.
        clock: epoch seconds.
        events: told of keys that join the set and of keys that fail.

    Raises:
        ValueError: the secret is too short.
    """

    def __init__(
        self,
        store: Store,
        *,
        folder: Path | None,
        kms_key: str | None,
        hmac_secret: bytes | None,
        access_token: int,
        clock: Callable[[], float] = time.time,
        events: Sink = ignore,
    ) -> None:
        if hmac_secret is not None and len(hmac_secret) < SHORTEST_SECRET:
            raise ValueError(f"JWT_SECRET_KEY must have {SHORTEST_SECRET} bytes or more; leave it out for RS256")
        self.algorithm = rsa.ALGORITHM if hmac_secret is None else SHARED.algorithm
        self._secret = hmac_secret
        self._clock = clock
        self._set = CachedKeySet(store, clock)
        self._folder = folder
        self._kms_key = kms_key
        self._access_token = access_token
        self._events = events
        self._known: KeySet | None = None
        self._ends = math.inf
        self._verifying: Mapping[str, SigningKey] = {SHARED.id: SHARED}
        self._public: dict[str, Any] = {}

    @cached_property
    def _ring(self) -> "KeyRing":
        """What signs; verifying, which every cold start may do, needs none of it."""
        from auth.keys.key_ring import KeyRing
        from auth.keys.kms import KmsKeys
        from auth.keys.pem import PemFiles

        return KeyRing(
            self._set,
            PemFiles(self._folder),
            KmsKeys(self._kms_key),
            kms_key=self._kms_key,
            access_token=self._access_token,
            clock=self._clock,
            events=self._events,
        )

    async def sign(self, payload: Mapping[str, Any], headers: Mapping[str, Any]) -> str:
        """A token in compact form; `alg` and `kid` join the headers.

        Raises:
            KeyUnavailableError: the private key cannot be used now.
            StoreUnavailableError: the key set cannot be read.
        """
        key = SHARED if self._secret is not None else await self._ring.signing_key()
        data = jws.signing_input({**headers, "alg": key.algorithm, "kid": key.id}, payload)
        signature = await self._ring.sign(key, data) if self._secret is None else _hmac(self._secret, data)
        return f"{data.decode()}.{base64url.encode(signature)}"

    async def verification_keys(self, *, refresh: bool = False) -> Mapping[str, SigningKey]:
        """What verifies, by id; the same object until that changes.

        Args:
            refresh: read the set again because of a key that is not in it, which is done now and then only.

        Raises:
            StoreUnavailableError: the store does not answer, and never did.
        """
        if self._secret is None:
            keys = await self._set.get(refresh=refresh)
            if keys is not self._known or self._clock() >= self._ends:
                verifying = [key for key in self._usable(keys) if key.algorithm == self.algorithm]
                self._ends = min((key.until for key in verifying if key.until is not None), default=math.inf)
                self._verifying = {key.id: key for key in verifying}
                self._known, self._public = keys, {}
        return self._verifying

    def verifies(self, key: SigningKey, data: bytes, signature: bytes) -> bool:
        """Whether a key out of `verification_keys` signed these bytes."""
        if self._secret is not None:
            return hmac.compare_digest(_hmac(self._secret, data), signature)
        if key.id not in self._public:
            self._public[key.id] = rsa.from_jwk(key.public)
        return rsa.verifies(self._public[key.id], data, signature)

    async def jwks(self) -> dict[str, Any] | None:
        """The public keys as a JWK set (RFC 7517); None where a secret signs. The first key is made if need be.

        It is read anew, though no more often than `PAUSE` allows: another process may sign with a new key already.

        Raises:
            KeyUnavailableError: there is no key yet, and none can be made.
            StoreUnavailableError: the key set cannot be read.
        """
        if self._secret is not None:
            return None
        await self._ring.signing_key()
        keys = self._usable(await self._set.get(refresh=True))
        return {"keys": [{**key.public, "alg": key.algorithm, "use": "sig", "kid": key.id} for key in keys]}

    async def key_set(self) -> KeySet:
        """The keys there are, ended ones included, as the store has them now.

        Raises:
            StoreUnavailableError: the store does not answer.
        """
        return KeySet((SHARED,)) if self._secret is not None else (await self._set.read()).keys

    async def rotate(self) -> SigningKey:
        """Let a new key sign, where the current one is: a new file, or a new KMS key like it.

        It signs after a head start of seconds, in KMS of six minutes; the one before verifies until its last token
        has ended.

        Raises:
            KeyUnavailableError: a secret signs, which only its setting changes; or no key can be made.
            StoreUnavailableError: the store does not answer.
        """
        if self._secret is not None:
            from auth.keys.errors import KeyUnavailableError

            raise KeyUnavailableError("JWT_SECRET_KEY signs: change that setting; tokens signed before end with it.")
        return await self._ring.rotate()

    def _usable(self, keys: KeySet) -> list[SigningKey]:
        now = self._clock()
        return [key for key in keys.keys if usable(key, now)]


def _hmac(secret: bytes, data: bytes) -> bytes:
    return hmac.digest(secret, data, hashlib.sha256)
