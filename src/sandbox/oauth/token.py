"""The token endpoint: codes, refresh tokens and client credentials become access tokens (RFC 6749)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from sandbox.held import sandbox_of
from sandbox.oauth.client import Client
from sandbox.oauth.errors import OAuthError
from sandbox.oauth.form import form_of
from sandbox.oauth.grants import Grant
from sandbox.sandbox import Sandbox

LIFETIME: Final = 3600
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")

Form = Mapping[str, str]
Reply = dict[str, Any]


async def token(request: Request) -> JSONResponse:
    """Give tokens, or say why not."""
    sandbox, form = sandbox_of(request), await form_of(request)
    try:
        client = sandbox.clients.authenticated(request.headers.get("authorization"), form)
        reply = _grant_of(form, client)(sandbox, client, form)
    except OAuthError as error:
        return error.response()
    return JSONResponse(reply, headers={"Cache-Control": "no-store"})


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _grant_of(form: Form, client: Client) -> Callable[[Sandbox, Client, Form], Reply]:
    grants = {"authorization_code": _code, "refresh_token": _refresh, "client_credentials": _client_credentials}
    asked = form.get("grant_type", "")
    if asked not in grants:
        raise OAuthError("unsupported_grant_type", "The grant type is not supported.")
    if asked not in client.grants:
        raise OAuthError("unauthorized_client", "The client did not register for this grant type.")
    return grants[asked]


def _code(sandbox: Sandbox, client: Client, form: Form) -> Reply:
    grant = sandbox.grants.redeem(form.get("code", ""))
    if grant.client_id != client.id or grant.redirect_uri != form.get("redirect_uri", grant.redirect_uri):
        raise OAuthError("invalid_grant", "The code was given to another client or for another redirect_uri.")
    verifier = form.get("code_verifier", "")
    proved = _VERIFIER.fullmatch(verifier) and hmac.compare_digest(challenge_of(verifier), grant.challenge)
    if not proved:
        raise OAuthError("invalid_grant", "The code_verifier does not match the code_challenge.")
    return _user_tokens(sandbox, client, grant)


def _refresh(sandbox: Sandbox, client: Client, form: Form) -> Reply:
    return _user_tokens(sandbox, client, sandbox.grants.refresh(form.get("refresh_token", ""), client.id))


def _user_tokens(sandbox: Sandbox, client: Client, grant: Grant) -> Reply:
    reply = {
        "access_token": sandbox.access_token(grant.user, grant.scope, lifetime=LIFETIME, client_id=client.id),
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "scope": grant.scope,
    }
    if "refresh_token" in client.grants:
        reply["refresh_token"] = sandbox.grants.refresh_token(grant)
    return reply


def _client_credentials(sandbox: Sandbox, client: Client, form: Form) -> Reply:
    if client.secret is None:
        raise OAuthError("unauthorized_client", "A public client has no credentials.")
    scope, audience = form.get("scope") or None, form.get("audience") or None
    reply = {
        "access_token": sandbox.access_token(client.id, scope, lifetime=LIFETIME, client_id=client.id, aud=audience),
        "token_type": "Bearer",
        "expires_in": LIFETIME,
    }
    return reply if scope is None else {**reply, "scope": scope}
