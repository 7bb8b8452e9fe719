"""Reads the credentials of HTTP Basic, as OAuth clients write them."""

import base64
import binascii
from typing import NamedTuple
from urllib.parse import unquote_plus

MAX_CHARACTERS = 8192


class Basic(NamedTuple):
    """A client's id and secret."""

    client_id: str
    secret: str


def parse_basic(header: str) -> Basic | None:
    """What an Authorization header holds; None where it is not Basic, or malformed.

    Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1).
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(header) > MAX_CHARACTERS:
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = decoded.partition(":")
        parts = Basic(unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict"))
    except (binascii.Error, ValueError):
        return None
    return parts if colon and parts.client_id else None
