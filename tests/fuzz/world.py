"""A server with a user who is signed in, clients, and the means to make one good request after the other."""

import base64
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import requests

from auth.keys.keys import Keys
from auth.records import Client, User
from auth.server.config import Config
from auth.server.cookies import SESSION
from store.sqlite import SqliteStore
from tests.support.auth_server import PLENTY, Clock, Running, auth_server, confidential_client, public_client
from tests.support.gate import PATIENCE
from tests.support.person import forms

SECRET = "backend-secret"
BASIC = {"Authorization": "Basic " + base64.b64encode(f"backend:{SECRET}".encode()).decode()}
PASSWORD = "correct horse battery staple"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

Made = tuple[dict[str, str], dict[str, str]]
"""Headers, and the form or query, of a request."""

Make = Callable[[], Made]


@dataclass
class World:
    """What the fuzz works with.

    Attributes:
        url: where the server answers.
        session: a browser whose user is signed in; a page of ours sends its forms.
        good: by kind, an operation and what makes a good request of it.
    """

    url: str
    session: requests.Session
    good: Mapping[str, tuple[str, Make]]

    def post(self, path: str, body: bytes, content_type: str, authorization: str | None) -> requests.Response:
        """Send any bytes."""
        headers = {"Content-Type": content_type.encode("latin-1")}
        if authorization is not None:
            headers["Authorization"] = authorization.encode("latin-1")
        return self.session.post(self.url + path, data=body, headers=headers, allow_redirects=False)


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    """Serve while the block runs."""
    clock, config = Clock(), Config(limits=PLENTY, password_cost=4)
    store = SqliteStore(folder / "auth.db", clock)
    keys = Keys(store, folder=folder, kms_key=None, hmac_secret=None, access_token=config.access_token, clock=clock)
    with (
        auth_server(folder, config=config, clock=clock, store=store, keys=keys) as running,
        requests.Session() as session,
    ):
        user = running.call(running.server.users.add, "alice", PASSWORD)
        client = running.add(public_client())
        running.add(confidential_client(secret=SECRET))
        session.trust_env = False
        session.headers["Sec-Fetch-Site"] = "same-origin"
        browser = Browser(running, user, client, session)
        browser.begin()
        yield World(running.url, session, {**Clients(running, user, client).requests(), **browser.requests()})


class Clients:
    """Good requests of clients; tokens that one uses up are made anew for each."""

    def __init__(self, running: Running, user: User, client: Client) -> None:
        self._running = running
        self._user = user
        self._client = client
        self._resource = {"resource": f"{running.url}/mcp"}

    def requests(self) -> Mapping[str, tuple[str, Make]]:
        """By kind."""
        return {
            "code": ("POST /oauth/token", self.code),
            "refresh": ("POST /oauth/token", self.refresh),
            "credentials": ("POST /oauth/token", self.credentials),
            "revoke": ("POST /oauth/revoke", self.revoke),
            "introspect": ("POST /oauth/introspect", self.introspect),
            "userinfo": ("GET /oauth/userinfo", self.userinfo),
        }

    def code(self) -> Made:
        redirect_uri = self._client.redirect_uris[0]
        code = self._running.call(
            self._running.server.grants.open,
            user=self._user,
            client=self._client,
            scopes=("mcp.read", "mcp.tools"),
            resource=self._resource["resource"],
            redirect_uri=redirect_uri,
            challenge=CHALLENGE,
        )
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return {}, form | self._resource | {"code_verifier": VERIFIER, "client_id": self._client.id}

    def refresh(self) -> Made:
        token = self._tokens(self.code())["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self._client.id}
        return {}, form | self._resource | {"scope": "mcp.read"}

    def credentials(self) -> Made:
        return BASIC, {"grant_type": "client_credentials", "scope": "mcp.tools"} | self._resource

    def revoke(self) -> Made:
        form = {"token": self._tokens(self.code())["refresh_token"], "token_type_hint": "refresh_token"}
        return {}, form | {"client_id": self._client.id}

    def introspect(self) -> Made:
        token = self._tokens(self.credentials())["access_token"]
        return BASIC, {"token": token, "token_type_hint": "access_token"}

    def userinfo(self) -> Made:
        return {"Authorization": f"Bearer {self._tokens(self.code())['access_token']}"}, {"anything": "else"}

    def _tokens(self, made: Made) -> Mapping[str, str]:
        headers, form = made
        answer = requests.post(f"{self._running.url}/oauth/token", data=form, headers=headers, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        found: Mapping[str, str] = answer.json()
        return found


class Browser:
    """Good requests of a browser, whose user is signed in anew for each."""

    def __init__(self, running: Running, user: User, client: Client, session: requests.Session) -> None:
        self._running = running
        self._user = user
        self._client = client
        self._session = session

    def requests(self) -> Mapping[str, tuple[str, Make]]:
        """By kind."""
        return {
            "authorize": ("GET /oauth/authorize", self.authorize),
            "authorize by form": ("POST /oauth/authorize", self.authorize),
            "consent": ("POST /oauth/authorize", self.consent),
            "sign in": ("POST /login", self.sign_in),
            "sign out": ("POST /logout", self.sign_out),
            "disconnect": ("POST /account", self.disconnect),
            "password": ("POST /account", self.password),
        }

    def authorize(self) -> Made:
        self.begin()
        form = {"response_type": "code", "client_id": self._client.id, "redirect_uri": self._client.redirect_uris[0]}
        challenge = {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "state": "a state"}
        return {}, form | challenge | {"scope": "mcp.read mcp.tools", "resource": f"{self._running.url}/mcp"}

    def consent(self) -> Made:
        return {}, self._form("/oauth/authorize", "Allow", self.authorize()[1]) | {"decision": "allow"}

    def sign_in(self) -> Made:
        self._session.cookies.clear()
        return {}, self._form("/login", "Sign in") | {"username": "alice", "password": PASSWORD}

    def sign_out(self) -> Made:
        self.begin()
        return {}, self._form("/account", "Sign out")

    def disconnect(self) -> Made:
        self.begin()
        return {}, self._form("/account", "Sign out") | {"action": "disconnect", "grant": "none"}

    def password(self) -> Made:
        self.begin()
        new = {"current": "not it", "new": "another long password", "repeated": "another long password"}
        return {}, self._form("/account", "Change password") | new

    def begin(self) -> None:
        """Sign the user in."""
        self._session.cookies.clear()
        cookie = self._running.call(self._running.server.sessions.open, self._user)
        self._session.cookies.set(SESSION, cookie, domain="127.0.0.1", path="/")

    def _form(self, path: str, button: str, query: Mapping[str, str] = {}) -> dict[str, str]:
        page = self._session.get(self._running.url + path, params=query, timeout=PATIENCE)
        return next(form.fields for form in forms(page.text) if button in form.buttons)
