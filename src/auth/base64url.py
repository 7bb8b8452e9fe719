"""Base64url without padding (RFC 7515, section 2), in the one way of writing it."""

import base64


def encode(data: bytes) -> str:
    """Bytes as letters, digits, `-` and `_`."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes behind a text.

    Raises:
        ValueError: it is not what `encode` writes.
    """
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(data) != text:
        raise ValueError("not base64url")
    return data
