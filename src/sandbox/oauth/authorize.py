"""The authorization endpoint: somebody chooses who they are, and the client gets a code (RFC 6749, section 4.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sandbox.data import people
from sandbox.held import sandbox_of
from sandbox.oauth.client import Client
from sandbox.oauth.errors import OAuthError
from sandbox.oauth.form import form_of
from sandbox.oauth.grants import Grant
from sandbox.pages.render import page
from sandbox.sandbox import Sandbox

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_FIELDS: Final = (
    "response_type", "client_id", "redirect_uri", "state", "scope", "code_challenge", "code_challenge_method",
)  # fmt: skip


@dataclass(frozen=True)
class _Asked:
    client: Client
    redirect_uri: str
    state: str | None
    scope: str
    challenge: str


async def authorize(request: Request) -> Response:
    """Show the page, or send its answer to the client."""
    sandbox = sandbox_of(request)
    fields = await form_of(request) if request.method == "POST" else dict(request.query_params)
    try:
        client, redirect_uri = _client(sandbox, fields)
    except OAuthError as error:
        return page("problem.html", error.status, title="This link does not work", text=error.description)
    try:
        asked = _asked(client, redirect_uri, fields)
    except OAuthError as error:
        return _back(redirect_uri, fields.get("state"), error=error.code, error_description=error.description)
    if request.method == "POST":
        return _decided(sandbox, asked, fields)
    return _shown(asked, fields)


def _client(sandbox: Sandbox, fields: Mapping[str, str]) -> tuple[Client, str]:
    client = sandbox.clients.find(fields.get("client_id"))
    if client is None:
        raise OAuthError(
            "invalid_request",
            "The app is not registered with this sandbox, which forgets at each start. Remove the server in the app, "
            "and add it again.",
        )
    redirect_uri = fields.get("redirect_uri")
    if redirect_uri is None and len(client.redirect_uris) == 1:
        return client, client.redirect_uris[0]
    if redirect_uri is None or not client.redirects_to(redirect_uri):
        raise OAuthError("invalid_request", "The app did not register the address that it wants its answer at.")
    return client, redirect_uri


def _asked(client: Client, redirect_uri: str, fields: Mapping[str, str]) -> _Asked:
    if fields.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code.")
    challenge = fields.get("code_challenge", "")
    if fields.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request", "PKCE is required: a code_challenge, with code_challenge_method=S256.")
    return _Asked(client, redirect_uri, fields.get("state"), fields.get("scope") or "openid", challenge)


def _decided(sandbox: Sandbox, asked: _Asked, fields: Mapping[str, str]) -> Response:
    person = people.find(fields.get("person"))
    if person is None:
        return _back(asked.redirect_uri, asked.state, error="access_denied", error_description="The user denied it.")
    grant = Grant(asked.client.id, person.id, asked.scope, asked.redirect_uri, asked.challenge)
    return _back(asked.redirect_uri, asked.state, code=sandbox.grants.add(grant))


def _shown(asked: _Asked, fields: Mapping[str, str]) -> Response:
    parts = urlsplit(asked.redirect_uri)
    return page(
        "authorize.html",
        # Chromium holds every later redirect to the policy too, and apps send their answer on to other sites.
        form_targets=f"http: https: {parts.scheme}:",
        app=asked.client.name,
        destination=parts.netloc or f"an app on this device ({parts.scheme})",
        scopes=asked.scope.split(),
        people=people.PEOPLE.values(),
        fields={name: fields[name] for name in _FIELDS if name in fields},
    )


def _back(redirect_uri: str, state: str | None, **answer: str) -> Response:
    members = answer if state is None else {**answer, "state": state}
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode(members)}", 303, {"Cache-Control": "no-store"})
