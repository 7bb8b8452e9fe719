"""Those who call the sandbox: a visitor without a token, a person, the service, and an app that signs people in."""

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx2

from sandbox import Sandbox

API = "/api/v1"
REDIRECT_URI = "http://127.0.0.1:33418/callback"
VERIFIER = "a-verifier-of-more-than-forty-three-characters"
SERVICE = ("sandbox-service", "sandbox-service-secret")


def visitor(sandbox: Sandbox, **headers: str) -> httpx2.Client:
    return httpx2.Client(base_url=sandbox.url, headers=headers, trust_env=False, timeout=20)


def bearer(sandbox: Sandbox, token: str) -> httpx2.Client:
    return visitor(sandbox, Authorization=f"Bearer {token}")


def person(sandbox: Sandbox, user: str) -> httpx2.Client:
    """A client with a person's own JWT."""
    with bearer(sandbox, sandbox.access_token(user)) as client:
        return bearer(sandbox, client.post("/auth/user-jwt").json()["user_jwt"])


def service(sandbox: Sandbox) -> httpx2.Client:
    """A client with the service token."""
    with visitor(sandbox) as client:
        reply = client.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=SERVICE)
    return bearer(sandbox, reply.json()["access_token"])


def companies(client: httpx2.Client) -> list[str]:
    """The ids of all companies that a client sees."""
    first = client.get(f"{API}/companies", params={"per_page": 60}).json()
    pages = [
        client.get(f"{API}/companies", params={"per_page": 60, "page": n}).json()
        for n in range(2, first["last_page"] + 1)
    ]
    return [company["uuid"] for page in (first, *pages) for company in page["data"]]


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class App:
    """An OAuth client that registered."""

    client: httpx2.Client
    id: str
    secret: str | None

    @classmethod
    def registered(cls, client: httpx2.Client, method: str = "none", **metadata: object) -> "App":
        asked = {"client_name": "An app", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": method}
        reply = client.post("/oauth2/register", json={**asked, **metadata})
        assert reply.status_code == 201, reply.text
        return cls(client, reply.json()["client_id"], reply.json().get("client_secret"))

    def question(self, **changes: str | None) -> dict[str, str]:
        fields = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": REDIRECT_URI,
            "state": "as is+&",
            "scope": "openid",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def answer(self, choice: str = "ann", **changes: str | None) -> dict[str, str]:
        """What the app learns once somebody has chosen."""
        reply = self.client.post("/oauth2/authorize", data={**self.question(**changes), "person": choice})
        assert reply.status_code == 303, reply.text
        return told(reply)

    def tokens(self, code: str, /, **changes: str) -> httpx2.Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return self.client.post("/oauth2/token", data={**fields, "client_id": self.id, **changes})

    def refresh(self, token: str) -> httpx2.Response:
        fields = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.id}
        return self.client.post("/oauth2/token", data=fields)


def told(reply: httpx2.Response) -> dict[str, str]:
    """What a redirect tells the app."""
    query = parse_qs(urlsplit(reply.headers["location"]).query, strict_parsing=True)
    return {name: values[0] for name, values in query.items()}
