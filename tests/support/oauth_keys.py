"""Signing keys that cost next to nothing: a shared secret, or RSA keys that a test process makes once."""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from auth import records
from auth.keys import rsa
from auth.keys.keys import Keys
from auth.records import KeySet, SigningKey
from store.protocol import Store

SECRET = b"a secret of forty-one bytes for the tests"
LIFETIME = 3600


def private_key(number: int = 0, size: int = 2048) -> RSAPrivateKey:
    """An RSA key; the same number is the same key for as long as the process lives."""
    return _made(number, size)


@cache
def _made(_number: int, size: int) -> RSAPrivateKey:
    return generate_private_key(65537, size)


def pem(key: Any) -> bytes:
    """A private key as PKCS #8 in PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signing_key(number: int = 0, since: int = 0, until: int | None = None) -> SigningKey:
    """One of these keys, as the key set lists it."""
    public = rsa.to_jwk(private_key(number).public_key())
    kid = rsa.thumbprint(public)
    return SigningKey(kid, "RS256", public, f"pem:signing-{kid}.pem", since, until)


def put_file(folder: Path, key: SigningKey, number: int = 0) -> Path:
    """Put a key's file where a server looks for it."""
    path = folder / key.private.removeprefix("pem:")
    path.write_bytes(pem(private_key(number)))
    return path


async def put_set(store: Store, *keys: SigningKey) -> None:
    """Make these keys the set."""
    if stored := await store.get(records.KEYS, consistent=True):
        assert await store.replace(stored, records.encode(KeySet(keys)))
    else:
        assert await store.insert(records.KEYS, records.encode(KeySet(keys)))


def make_keys(store: Store, clock: Callable[[], float] = time.time, **settings: Any) -> Keys:
    """Keys of a store; without settings they have no place for private keys, so that they only verify."""
    given = {"folder": None, "kms_key": None, "hmac_secret": None, "access_token": LIFETIME, **settings}
    return Keys(store, clock=clock, **given)


async def rsa_keys(store: Store, folder: Path, clock: Callable[[], float] = time.time) -> Keys:
    """RS256 keys whose first one is there already."""
    key = signing_key()
    put_file(folder, key)
    await put_set(store, key)
    return make_keys(store, clock, folder=folder)
