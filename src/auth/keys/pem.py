"""Signing keys in PEM files, one file per key, in the store's folder."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auth.keys import files, rsa
from auth.keys.errors import KeyUnavailableError
from auth.keys.place import Made
from auth.records import SigningKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PREFIX: Final = "pem:"
_NAME: Final = re.compile(r"signing-[A-Za-z0-9_-]{43}\.pem")


class PemFiles:
    """A folder of private keys.

    Args:
        folder: where they are, mode 700 once it is made; None where there is none, as beside a table.
        size: bits of a new key, 2048 or more.
    """

    def __init__(self, folder: Path | None, size: int = rsa.SHORTEST) -> None:
        self._folder = folder
        self._size = size
        self._loaded: dict[str, RSAPrivateKey] = {}

    def sign(self, key: SigningKey, data: bytes) -> bytes:
        """The RS256 signature of these bytes.

        Raises:
            KeyUnavailableError: the key's file is not on this machine, or is not that key.
        """
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        if key.id not in self._loaded:
            self._loaded[key.id] = self._load(key)
        return self._loaded[key.id].sign(data, PKCS1v15(), SHA256())

    def successor(self, _key: SigningKey | None) -> Made:
        """A new key in a file of its own; nobody trusts it before it is in the key set."""
        from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

        private = generate_private_key(65537, self._size)
        public = rsa.to_jwk(private.public_key())
        name = f"signing-{rsa.thumbprint(public)}.pem"
        files.create(self._path(name), _pem(private))
        return Made(public, PREFIX + name)

    def discard(self, made: Made) -> None:
        """Delete a new key's file."""
        self._path(made.private.removeprefix(PREFIX)).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if self._folder is None:
            raise KeyUnavailableError("There is no folder for signing keys here; set SIGNING_KEY_ARN or AUTH_DB_PATH.")
        # The name comes from a record: it must not lead out of the folder.
        if not _NAME.fullmatch(name):
            raise KeyUnavailableError("The key set names a file that is not one of this server's signing keys.")
        return self._folder / name

    def _load(self, key: SigningKey) -> "RSAPrivateKey":
        name = key.private.removeprefix(PREFIX)
        data = files.read(self._path(name))
        if data is None:
            raise KeyUnavailableError(
                f"The signing key {name} is not on this machine. Copy it into the folder of AUTH_DB_PATH from the "
                "machine that made it, or let all machines sign with a KMS key (SIGNING_KEY_ARN)."
            )
        return _private_key(data, key)


def _private_key(data: bytes, key: SigningKey) -> "RSAPrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    name = key.private.removeprefix(PREFIX)
    try:
        private = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnavailableError(f"{name} holds no private key in PEM without a password.") from None
    if not isinstance(private, RSAPrivateKey) or private.key_size < rsa.SHORTEST:
        raise KeyUnavailableError(f"{name} is not an RSA key of {rsa.SHORTEST} bits or more.")
    if rsa.thumbprint(rsa.to_jwk(private.public_key())) != key.id:
        raise KeyUnavailableError(f"{name} holds another key than the key set says.")
    return private


def _pem(private: "RSAPrivateKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
