"""Establishes which client sends a request, by exactly one way (RFC 6749, section 2.3)."""

import base64
import hmac
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

from starlette.requests import Request

from auth.errors import InvalidClientError, InvalidRequestError
from auth.records import Client
from auth.server.client_metadata import PUBLIC_METHOD, SECRET_METHODS
from auth.server.clients import hash_secret
from auth.server.server import AuthorizationServer

BASIC, POST = SECRET_METHODS

LONGEST_CLIENT_ID: Final = 1024
"""Characters; DynamoDB takes keys of 2 KB."""

LONGEST_HEADER: Final = 8192
"""Characters of an Authorization header that is looked at."""

_NO_HASH: Final = "0" * 64
_FAILED: Final = "The client is unknown, or did not authenticate as it is registered to."


class Credentials(NamedTuple):
    """What a client sent to say who it is.

    Attributes:
        method: `none`, `client_secret_basic` or `client_secret_post`.
        secret: empty with `none`.
    """

    client_id: str
    method: str
    secret: str = ""


async def authenticate(
    server: AuthorizationServer, request: Request, form: Mapping[str, str], *, fetch: bool = False
) -> Client:
    """The client that sends a request.

    Args:
        server: where clients are known.
        request: for its Authorization header.
        form: the request's parameters.
        fetch: whether a client's metadata document may be fetched.

    Raises:
        InvalidRequestError: it says who it is in several ways, or not at all.
        InvalidClientError: it is unknown, or its secret is wrong.
    """
    return await check(server, read(request, form), fetch=fetch)


def read(request: Request, form: Mapping[str, str]) -> Credentials:
    """What a request says of its client, unchecked; raises what `authenticate` does."""
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise InvalidRequestError("There is more than one Authorization header.")
    credentials = _basic(headers[0], form) if headers else _posted(form)
    if not _is_client_id(credentials.client_id):
        raise InvalidClientError(_FAILED)
    return credentials


async def check(server: AuthorizationServer, credentials: Credentials, *, fetch: bool = False) -> Client:
    """The client that some credentials belong to; raises what `authenticate` does."""
    client = await server.clients.find(credentials.client_id, fetch=fetch)
    if not _is_right(client, credentials) or client is None:
        raise InvalidClientError(_FAILED)
    return client


def parse_basic(header: str) -> Credentials | None:
    """What an Authorization header holds; None where it is not Basic, or malformed.

    Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1).
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(header) > LONGEST_HEADER:
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = decoded.partition(":")
        parts = [unquote_plus(part, errors="strict") for part in (client_id, secret)]
    except ValueError:
        return None
    return Credentials(parts[0], BASIC, parts[1]) if colon and parts[0] else None


def _basic(header: str, form: Mapping[str, str]) -> Credentials:
    if "client_secret" in form:
        raise InvalidRequestError("The client authenticates in two ways.")
    credentials = parse_basic(header)
    if credentials is None:
        raise InvalidClientError("The Authorization header is not HTTP Basic with an id and a secret.")
    if form.get("client_id", credentials.client_id) != credentials.client_id:
        raise InvalidRequestError("client_id is not the one of the Authorization header.")
    return credentials


def _posted(form: Mapping[str, str]) -> Credentials:
    client_id = form.get("client_id")
    if client_id is None:
        raise InvalidClientError("client_id is missing.")
    secret = form.get("client_secret")
    return Credentials(client_id, POST, secret) if secret else Credentials(client_id, PUBLIC_METHOD)


def _is_client_id(value: str) -> bool:
    """RFC 6749, appendix A.1, and short enough for a key."""
    return len(value) <= LONGEST_CLIENT_ID and all(" " <= character <= "~" for character in value)


def _is_right(client: Client | None, credentials: Credentials) -> bool:
    """Whether a client's method and secret are those it has; as much work for a client that does not exist."""
    stored = client.secret_hash if client and client.secret_hash else _NO_HASH
    known = hmac.compare_digest(hash_secret(credentials.secret), stored)
    if client is None or client.auth_method != credentials.method:
        return False
    return known if client.confidential else credentials.method == PUBLIC_METHOD
