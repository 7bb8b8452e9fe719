"""A client's side of a grant: codes, tokens and what becomes of them, over HTTP."""

from dataclasses import dataclass
from typing import Any

import httpx2

from auth.keys.server_key import ServerKey
from auth.records import Client, Grant, User
from auth.server import refresh_token
from auth.server.pkce import challenge_of
from tests.support.auth_server import Running, public_client

VERIFIER = "a-verifier-that-is-at-least-forty-three-characters-long"
REDIRECT_URI = "https://app.example/callback"
BOTH = ("mcp.read", "mcp.tools")


@dataclass
class Dance:
    """A user, a client, and the authorization server that they share."""

    auth: Running
    user: User
    client: Client

    @property
    def resource(self) -> str:
        """What the grants are for."""
        return f"{self.auth.issuer}/mcp"

    def code(self, **changes: Any) -> str:
        """A fresh authorization code."""
        asked: dict[str, Any] = {
            "user": self.user,
            "client": self.client,
            "scopes": BOTH,
            "resource": self.resource,
            "redirect_uri": REDIRECT_URI,
            "challenge": challenge_of(VERIFIER),
        }
        return self.auth.call(self.auth.server.grants.open, **{**asked, **changes})

    def post(self, path: str = "/oauth/token", auth: Any = None, **form: str | None) -> httpx2.Response:
        """A form from this client, parameters that are None left out."""
        if auth is None:
            form = {"client_id": self.client.id, **form}
        data = {name: value for name, value in form.items() if value is not None}
        return self.auth.client.post(path, data=data, auth=auth)

    def redeem(self, code: str, /, **changes: Any) -> httpx2.Response:
        """What the token endpoint says to a code."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return self.post(**{**asked, **changes})

    def tokens(self, **changes: Any) -> dict[str, Any]:
        """Tokens of a new grant."""
        reply = self.redeem(self.code(), **changes)
        assert reply.status_code == 200, reply.text
        members: dict[str, Any] = reply.json()
        return members

    def refresh(self, token: str, /, **changes: Any) -> httpx2.Response:
        """What the token endpoint says to a refresh token."""
        return self.post(**{"grant_type": "refresh_token", "refresh_token": token, **changes})

    def refreshed(self, token: str, **changes: Any) -> str:
        """The refresh token that comes for another."""
        reply = self.refresh(token, **changes)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["refresh_token"])

    def grant(self, token: str) -> Grant:
        """The grant that a code or refresh token belongs to, as it is stored."""
        found = self.auth.call(self.auth.server.grants.find, token.partition(".")[0])
        assert found
        return found


def new_dance(auth: Running, client: Client | None = None) -> Dance:
    """A new user's and a client's, a public one if none is given; both stored."""
    return Dance(auth, auth.user(), auth.add(client or public_client()))


async def current_token(server_key: ServerKey, grant: Grant) -> str:
    """The refresh token of an active grant that is good now."""
    return refresh_token.write(await server_key.current(refresh_token.PURPOSE), grant)
