"""The compact form of a signed token (RFC 7515, section 3.1), written and read strictly.

PyJWT would do it too, but importing it costs a cold start about 100 ms, a tenth of which is the RSA that is needed.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from auth import base64url
from auth.json_object import decoded

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


def signing_input(header: Mapping[str, Any], payload: Mapping[str, Any]) -> bytes:
    """What is signed: header and payload, each as JSON in base64url."""
    parts = (base64url.encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, payload))
    return ".".join(parts).encode()


def parse(token: str) -> Jws:
    """Take a token apart.

    Raises:
        MalformedError: it has not three segments of base64url, or its header is not a JSON object.
    """
    segments = token.split(".")
    if len(segments) != SEGMENTS:
        raise MalformedError("not three segments")
    try:
        header, payload, signature = map(base64url.decode, segments)
    except ValueError:
        raise MalformedError("not base64url") from None
    return Jws(json_object(header), payload, token[: token.rindex(".")].encode(), signature)


def json_object(text: bytes) -> dict[str, Any]:
    """A JSON object in which no member is named twice (RFC 7515, section 4).

    Raises:
        MalformedError: it is anything else.
    """
    try:
        return decoded(text)
    except ValueError:
        raise MalformedError("not a JSON object") from None
