"""What every place of private keys can do."""

from typing import NamedTuple, Protocol

from auth.records import SigningKey


class Made(NamedTuple):
    """A key pair, as far as it may be told.

    Attributes:
        public: the public key's JWK members.
        private: where the private key is, as `SigningKey.private` has it.
    """

    public: dict[str, str]
    private: str


class Place(Protocol):
    """Where private keys are. Every method blocks, and raises `KeyUnavailableError` where the place gives nothing."""

    def sign(self, key: SigningKey, data: bytes) -> bytes:
        """The RS256 signature of these bytes."""
        ...

    def successor(self, key: SigningKey | None) -> Made:
        """A new key to sign after `key`, or the first one."""
        ...

    def discard(self, made: Made) -> None:
        """Forget a new key that did not come into use."""
        ...
