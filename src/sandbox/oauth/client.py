"""The OAuth clients that the sandbox knows, and how they prove who they are (RFC 6749, section 2.3)."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_plus, urlsplit

from sandbox.oauth.errors import OAuthError

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Client:
    """A registered client; a public one has no secret."""

    id: str
    secret: str | None
    method: str
    redirect_uris: tuple[str, ...] = ()
    grants: tuple[str, ...] = ("authorization_code", "refresh_token")
    registration: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """What it calls itself."""
        return str(self.registration.get("client_name") or "An app without a name")

    def redirects_to(self, uri: str) -> bool:
        """Whether it registered a redirect URI; one on loopback may have any port (RFC 8252, section 7.3)."""
        if uri in self.redirect_uris:
            return True
        local = _but_for_port(uri)
        return local is not None and local in map(_but_for_port, self.redirect_uris)


SERVICE: Final = Client(
    "sandbox-service", "sandbox-service-secret", "client_secret_basic", grants=("client_credentials",)
)
"""The client whose service tokens see all companies."""


class Clients:
    """The clients by their ids; `SERVICE` is there from the start."""

    def __init__(self) -> None:
        self._known = {SERVICE.id: SERVICE}

    def add(self, registration: Mapping[str, Any]) -> Client:
        """Register a client with the metadata that was checked."""
        method = registration["token_endpoint_auth_method"]
        client = Client(
            id=secrets.token_hex(10),
            secret=None if method == "none" else secrets.token_urlsafe(32),
            method=method,
            redirect_uris=tuple(registration["redirect_uris"]),
            grants=tuple(registration["grant_types"]),
            registration=registration,
        )
        self._known[client.id] = client
        return client

    def find(self, client_id: str | None) -> Client | None:
        """The client with that id."""
        return self._known.get(client_id or "")

    def authenticated(self, authorization: str | None, form: Mapping[str, str]) -> Client:
        """The client that a request is from: by HTTP Basic, by the form, or a public one by its id alone.

        Raises:
            OAuthError: it is not known, or its secret is wrong.
        """
        client_id, secret = (
            _basic(authorization) if authorization else (form.get("client_id"), form.get("client_secret"))
        )
        client = self.find(client_id)
        if client is None or not hmac.compare_digest((client.secret or "").encode(), (secret or "").encode()):
            raise OAuthError("invalid_client", "The client is not known or its secret is wrong.", 401)
        return client


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, credentials = authorization.partition(" ")
    try:
        name, colon, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise OAuthError("invalid_client", "The Authorization header is not HTTP Basic.", 401)
    return unquote_plus(name), unquote_plus(secret)


def _but_for_port(uri: str) -> tuple[str, ...] | None:
    parts = urlsplit(uri)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or parts.username is not None:
        return None
    return (parts.hostname, parts.path, parts.query, parts.fragment)
