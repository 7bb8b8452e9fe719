"""The compact form of a signed token (RFC 7515, section 3.1), written and read strictly.

PyJWT would do it too, but importing it costs a cold start about 100 ms, a tenth of which is the RSA that is needed.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

SEGMENTS = 3


class MalformedError(ValueError):
    """This is no token in compact form."""


class Jws(NamedTuple):
    """A token taken apart; nothing of it is verified.

    Attributes:
        signed: the bytes that the signature is over.
        payload: JSON text, to be read only once the signature is verified.
    """

    header: dict[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes


def encode(data: bytes) -> bytes:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode(text: bytes) -> bytes:
    """The bytes in base64url without padding, in the one way of writing them.

    Raises:
        MalformedError: it is anything else.
    """
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise MalformedError("not base64url") from None
    if encode(data) != text:
        raise MalformedError("not base64url")
    return data


def signing_input(header: Mapping[str, Any], payload: Mapping[str, Any]) -> bytes:
    """What is signed: header and payload, each as JSON in base64url."""
    return b".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, payload))


def parse(token: bytes) -> Jws:
    """Take a token apart.

    Raises:
        MalformedError: it has not three segments of base64url, or its header is not a JSON object.
    """
    segments = token.split(b".")
    if len(segments) != SEGMENTS:
        raise MalformedError("not three segments")
    header, payload, signature = (decode(segment) for segment in segments)
    return Jws(json_object(header), payload, token[: token.rindex(b".")], signature)


def json_object(text: bytes) -> dict[str, Any]:
    """A JSON object in which no member is named twice (RFC 7515, section 4).

    Raises:
        MalformedError: it is anything else.
    """
    try:
        value = json.loads(text, object_pairs_hook=_members)
    except (ValueError, RecursionError):
        raise MalformedError("not JSON") from None
    if not isinstance(value, dict):
        raise MalformedError("not a JSON object")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedError("a member is named twice")
    return members
