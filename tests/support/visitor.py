"""A browser without a screen: keeps cookies, follows nothing by itself, and says where its forms come from."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from auth.records import Client
from tests.support.auth_server import Running

PASSWORD = "correct horse battery staple"
CALLBACK = "https://app.example/callback"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

REQUEST = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": CALLBACK,
    "state": "st ate/+&=%",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
"""A good authorization request of `public_client()`."""


def authorization(**changes: str | None) -> str:
    """The path of an authorization request; a parameter changed to None is left out."""
    parameters = {name: value for name, value in (REQUEST | changes).items() if value is not None}
    return f"/oauth/authorize?{urlencode(parameters)}"


class Visitor:
    """Somebody's browser at an authorization server.

    Attributes:
        cookies: as the browser holds them; sent with every request.
        set: the attributes of the cookies that were set last, by name.
    """

    def __init__(self, auth: Running) -> None:
        self.auth = auth
        self.cookies: dict[str, str] = {}
        self.set: dict[str, dict[str, str]] = {}

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """Open a path of the server."""
        return self._keep(self.auth.client.get(path, headers=self._headers(headers)))

    def post(self, path: str, form: Mapping[str, str] | bytes, **headers: str) -> httpx2.Response:
        """Post a form from one of the server's own pages, unless headers say otherwise; an empty one is left out."""
        own = {"origin": self.auth.issuer, "sec-fetch-site": "same-origin"}
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        own["content-type"] = "application/x-www-form-urlencoded"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in self._headers(own | named).items() if value}
        return self._keep(self.auth.client.post(path, content=body, headers=sent))

    def follow(self, reply: httpx2.Response) -> httpx2.Response:
        """Go where a reply sends the browser, within the server."""
        assert reply.status_code == 303, (reply.status_code, reply.text)
        assert reply.headers["location"].startswith("/")
        return self.get(reply.headers["location"])

    def sign_in(self, username: str = "alice", password: str = PASSWORD, *, start: str = "/login") -> httpx2.Response:
        """Sign in where a path asks for it; the reply to the form."""
        page = self.get(start)
        while page.status_code == 303:
            page = self.follow(page)
        return self.post("/login", fields(page) | {"username": username, "password": password})

    def question(self, path: str) -> dict[str, str]:
        """The fields of the consent form that a path leads to."""
        page = self.get(path)
        assert page.status_code == 200, page.text
        return {"consent": fields(page, "/oauth/authorize")["consent"]}

    def decide(self, path: str, decision: str = "allow") -> httpx2.Response:
        """Answer the consent form that a path leads to."""
        return self.post("/oauth/authorize", self.question(path) | {"decision": decision})

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {**({"cookie": cookies} if cookies else {}), **more}

    def _keep(self, reply: httpx2.Response) -> httpx2.Response:
        self.auth.client.cookies.clear()
        for line in reply.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.set[name] = {key: str(value) for key, value in morsel.items() if value != ""}
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return reply


def alice(auth: Running, *clients: Client) -> Visitor:
    """The browser of a user who can sign in, at a server that knows some clients."""
    auth.call(auth.server.users.add, "alice", PASSWORD)
    for client in clients:
        auth.add(client)
    return Visitor(auth)


def fields(page: httpx2.Response, action: str | None = None) -> dict[str, str]:
    """The values of the inputs in a page's forms, or in those with one action."""
    parser = _Fields(action)
    parser.feed(page.text)
    return parser.found


def answer(reply: httpx2.Response) -> dict[str, str]:
    """What a redirect takes back to the client, each parameter once."""
    assert reply.status_code == 303, (reply.status_code, reply.text)
    given = parse_qs(urlsplit(reply.headers["location"]).query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in given.values())
    return {name: values[0] for name, values in given.items()}


def words(page: httpx2.Response) -> str:
    """A page's text without its tags, style and superfluous space."""
    body = re.sub(r"<style>.*?</style>", "", page.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


class _Fields(HTMLParser):
    def __init__(self, action: str | None) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._wanted = action
        self._action = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = given["action"]
        if tag == "input" and "name" in given and self._wanted in (None, self._action):
            self.found[given["name"]] = given.get("value", "")
