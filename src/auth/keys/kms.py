"""Signing keys in AWS KMS, which they never leave."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from auth.keys import rsa
from auth.keys.errors import KeyUnavailableError
from auth.keys.place import Made
from auth.records import SigningKey

PREFIX: Final = "kms:"
SIGNING_ALGORITHM: Final = "RSASSA_PKCS1_V1_5_SHA_256"
_ARN_FIELDS: Final = 6
_KEY_ARN: Final = ":key/"


def client(region: str | None) -> Any:
    """A KMS client with our own time-outs: botocore's 60 s would outlive every caller."""
    import botocore.session
    from botocore.config import Config

    retries: Any = {"total_max_attempts": 3, "mode": "standard"}
    config = Config(connect_timeout=1, read_timeout=2, retries=retries)
    return botocore.session.get_session().create_client("kms", region_name=region, config=config)


class KmsKeys:
    """Asymmetric keys in KMS: RSA, for signing (`kms:Sign`, `kms:GetPublicKey`).

    Args:
        configured: ARN, id or alias of the first key; None where the key set alone says which.
        make_client: a KMS client for a region, None being the default one.
    """

    def __init__(self, configured: str | None, make_client: Callable[[str | None], Any] = client) -> None:
        self._configured = configured
        self._make_client = make_client
        self._clients: dict[str | None, Any] = {}
        self._lock = threading.Lock()

    def sign(self, key: SigningKey, data: bytes) -> bytes:
        """The RS256 signature of these bytes, 4096 of them at most (`MessageType=RAW`).

        Raises:
            KeyUnavailableError: KMS does not answer, or refuses.
        """
        arn = key.private.removeprefix(PREFIX)
        with self._client(arn) as kms:
            answer = kms.sign(KeyId=arn, Message=data, MessageType="RAW", SigningAlgorithm=SIGNING_ALGORITHM)
        return bytes(answer["Signature"])

    def successor(self, key: SigningKey | None) -> Made:
        """A new key with the spec, policy and tags of `key`; the configured one, where `key` is None.

        Needs `kms:DescribeKey`, `kms:GetKeyPolicy`, `kms:ListResourceTags`, `kms:CreateKey` and `kms:TagResource`.

        Raises:
            KeyUnavailableError: KMS does not answer, or refuses; or the configured key cannot sign with RS256.
        """
        if key is None:
            return self._public(self._configured or "")
        arn = key.private.removeprefix(PREFIX)
        with self._client(arn) as kms:
            created = kms.create_key(**_like(kms, arn))
        return self._public(created["KeyMetadata"]["Arn"])

    def discard(self, made: Made) -> None:
        """Leave it: whoever was first has put a key in its place, and to delete keys takes a right of its own."""

    def _public(self, name: str) -> Made:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        with self._client(name) as kms:
            answer = kms.get_public_key(KeyId=name)
        public = load_der_public_key(answer["PublicKey"])
        if not isinstance(public, RSAPublicKey) or SIGNING_ALGORITHM not in answer.get("SigningAlgorithms", ()):
            raise KeyUnavailableError("SIGNING_KEY_ARN must name an RSA key for signing (KeySpec RSA_2048 or more).")
        # An alias may come to mean another key; the answer names the one that it means now.
        return Made(rsa.to_jwk(public), PREFIX + (name if _KEY_ARN in name else answer["KeyId"]))

    @contextmanager
    def _client(self, key: str) -> Iterator[Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield self._in_region(_region(key))
        except ClientError as error:
            raise KeyUnavailableError(f"KMS refused: {_code(error.response)}.") from None
        except BotoCoreError as error:
            raise KeyUnavailableError(f"KMS did not answer: {type(error).__name__}.") from None

    def _in_region(self, region: str | None) -> Any:
        # Making a client is not safe in several threads at once; using one is.
        with self._lock:
            if region not in self._clients:
                self._clients[region] = self._make_client(region)
            return self._clients[region]


def _like(kms: Any, arn: str) -> dict[str, Any]:
    metadata = kms.describe_key(KeyId=arn)["KeyMetadata"]
    policy = kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
    pages = kms.get_paginator("list_resource_tags").paginate(KeyId=arn)
    # Tags that AWS puts there itself (`aws:cloudformation:...`) cannot be given.
    tags = [tag for page in pages for tag in page["Tags"] if not tag["TagKey"].startswith("aws:")]
    return {
        "KeySpec": metadata["KeySpec"],
        "KeyUsage": metadata["KeyUsage"],
        "Description": metadata["Description"],
        "MultiRegion": metadata.get("MultiRegion", False),
        "Policy": policy,
        "Tags": tags,
    }


def _region(key: str) -> str | None:
    """The region in an ARN (`arn:aws:kms:REGION:...`); None for an id or an alias, which are looked up at home."""
    fields = key.split(":")
    return fields[3] if len(fields) >= _ARN_FIELDS and fields[3] else None


def _code(response: Any) -> str:
    code = str(response.get("Error", {}).get("Code"))
    return code if code.isalnum() and code.isascii() else "unknown error"
