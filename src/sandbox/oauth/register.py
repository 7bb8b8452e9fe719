"""Open registration of clients (RFC 7591)."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse

from sandbox.held import sandbox_of
from sandbox.oauth.client import Client
from sandbox.oauth.errors import OAuthError
from sandbox.oauth.metadata import GRANTS, METHODS

_CODE_GRANTS: Final = ("authorization_code", "refresh_token")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_KEPT: Final = ("client_name", "client_uri", "logo_uri", "contacts", "jwks_uri", "jwks", "scope")


async def register(request: Request) -> JSONResponse:
    """Register a client, whoever it is."""
    sandbox = sandbox_of(request)
    try:
        client = sandbox.clients.add(_checked(await request.body()))
    except OAuthError as error:
        return error.response()
    token = sandbox.sign({"iss": sandbox.url, "sub": client.id, "token_use": "registration", "exp": _month_from_now()})
    return JSONResponse(_described(client, sandbox.url, token), 201, {"Cache-Control": "no-store"})


async def registered(request: Request) -> JSONResponse:
    """Show a client to whoever holds its registration access token (RFC 7592, section 2.1)."""
    sandbox = sandbox_of(request)
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    claims = sandbox.keys.verified(token) or {}
    client = sandbox.clients.find(request.path_params["client_id"])
    if client is None or claims.get("token_use") != "registration" or claims.get("sub") != client.id:
        return OAuthError("invalid_token", "This is not the client's registration access token.", 401).response()
    return JSONResponse(_described(client, sandbox.url, token), headers={"Cache-Control": "no-store"})


def _checked(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise OAuthError("invalid_client_metadata", "The body is not a JSON object.")
    uris = asked.get("redirect_uris")
    if not isinstance(uris, list) or not uris or not all(map(_may_redirect, uris)):
        raise OAuthError("invalid_redirect_uri", "redirect_uris must hold https, loopback or app addresses.")
    method = asked.get("token_endpoint_auth_method", "client_secret_basic")
    grants = asked.get("grant_types", list(_CODE_GRANTS))
    if method not in METHODS or not isinstance(grants, list) or not set(grants) <= set(GRANTS):
        raise OAuthError("invalid_client_metadata", "The authentication method or a grant type is not supported.")
    return {
        "redirect_uris": uris,
        "grant_types": grants,
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
        **{name: asked[name] for name in _KEPT if name in asked},
    }


def _may_redirect(uri: object) -> bool:
    if not isinstance(uri, str):
        return False
    parts = urlsplit(uri)
    if not parts.scheme or parts.fragment or parts.scheme in ("javascript", "data"):
        return False
    return bool(parts.hostname) if parts.scheme == "https" else parts.scheme != "http" or parts.hostname in _LOOPBACK


def _described(client: Client, url: str, token: str) -> Mapping[str, Any]:
    secret = {} if client.secret is None else {"client_secret": client.secret, "client_secret_expires_at": 0}
    return {
        **client.registration,
        **secret,
        "client_id": client.id,
        "client_id_issued_at": int(time.time()),
        "registration_client_uri": f"{url}/oauth2/register/{client.id}",
        "registration_access_token": token,
    }


def _month_from_now() -> int:
    return int(time.time()) + 30 * 24 * 3600
