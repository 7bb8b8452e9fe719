"""Somebody with a browser and apps, who comes to every door of a server with what they hold: all of it over HTTP."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx2

from tests.support.auth_server import Running, confidential_client, public_client
from tests.support.mcp_messages import headers, message
from tests.support.visitor import CALLBACK, PASSWORD, Visitor, alice, answer, authorization, fields

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
"""Of `visitor.CHALLENGE` (RFC 7636, appendix B)."""

BACKEND = ("backend", "backend-secret")
ECHO = message("tools/call", {"name": "echo", "arguments": {"message": "hi"}})

Knock = Callable[[], httpx2.Response]


class Held(NamedTuple):
    """What was handed out before an outage, all of it still good.

    Attributes:
        consent: the form of a consent page.
        sign_in: the form of a sign-in page in the other browser.
        code: nobody has redeemed it.
        refresh: a current refresh token.
        token: an access token with which nobody has called yet.
        given_up: the refresh token of a grant that its client is about to revoke.
        disconnected: the id of a grant that its user is about to end.
        account: the token of the account page's forms.
    """

    consent: Mapping[str, str]
    sign_in: Mapping[str, str]
    code: str
    refresh: str
    token: str
    given_up: str
    disconnected: str
    account: str


class Customer:
    """A user who has signed in, the user's app, and the operator's backend.

    Attributes:
        browser: the user's.
        other: one in which nobody is signed in.
    """

    def __init__(self, auth: Running) -> None:
        self.auth = auth
        self.browser = alice(auth, public_client(), confidential_client())
        self.other = Visitor(auth)
        assert self.browser.sign_in().status_code == 303

    def moves_to(self, auth: Running) -> None:
        """Come to another server, under the same issuer."""
        self.auth = self.browser.auth = self.other.auth = auth

    def held(self) -> Held:
        """One of each thing that a door takes."""
        tokens = self.tokens()
        return Held(
            consent=self.browser.question(authorization()) | {"decision": "allow"},
            sign_in=fields(self.other.get("/login")) | {"username": "alice", "password": PASSWORD},
            code=self.code(),
            refresh=tokens["refresh_token"],
            token=tokens["access_token"],
            given_up=self.tokens()["refresh_token"],
            disconnected=self.tokens()["refresh_token"].partition(".")[0],
            account=self.account_token(),
        )

    def doors(self, held: Held) -> dict[str, Knock]:
        """Every door, each with what it takes."""
        ours = {"client_id": "app"}
        ended = {"token": held.account, "action": "disconnect", "grant": held.disconnected}
        return {
            "authorize": lambda: self.browser.get(authorization()),
            "consent": lambda: self.browser.post("/oauth/authorize", held.consent),
            "sign in": lambda: self.other.post("/login", held.sign_in),
            "account": lambda: self.browser.get("/account"),
            "disconnect": lambda: self.browser.post("/account", ended),
            "code": lambda: self.redeem(held.code),
            "refresh": lambda: self.refresh(held.refresh),
            "client credentials": lambda: self.post("/oauth/token", {"grant_type": "client_credentials"}, BACKEND),
            "revoke": lambda: self.post("/oauth/revoke", {**ours, "token": held.given_up}),
            "introspect": lambda: self.post("/oauth/introspect", {"token": held.token}, BACKEND),
            "userinfo": lambda: self.auth.client.get("/oauth/userinfo", headers=bearer(held.token)),
            "register": lambda: self.auth.client.post("/oauth/register", json={"redirect_uris": [CALLBACK]}),
            "tool": lambda: self.call(held.token),
        }

    def code(self) -> str:
        """The code that comes of a consent."""
        return answer(self.browser.decide(authorization()))["code"]

    def tokens(self) -> dict[str, Any]:
        """What a code is redeemed for."""
        return good(self.redeem(self.code())).json()

    def redeem(self, code: str) -> httpx2.Response:
        """What the token endpoint says to a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.post("/oauth/token", {"client_id": "app", **form})

    def refresh(self, token: str) -> httpx2.Response:
        """What the token endpoint says to a refresh token."""
        return self.post("/oauth/token", {"client_id": "app", "grant_type": "refresh_token", "refresh_token": token})

    def post(self, path: str, form: Mapping[str, str], auth: Any = None) -> httpx2.Response:
        """A client's form."""
        return self.auth.client.post(path, data=form, auth=auth)

    def call(self, token: str) -> httpx2.Response:
        """A call of a tool."""
        return self.auth.client.post("/mcp", json=ECHO, headers={**headers(ECHO), **bearer(token)})

    def account_token(self) -> str:
        """What the forms of the account page carry."""
        return fields(self.browser.get("/account"), "/account")["token"]


def bearer(token: str) -> dict[str, str]:
    """The header that a token goes in."""
    return {"authorization": f"Bearer {token}"}


def good(reply: httpx2.Response) -> httpx2.Response:
    """A reply in which something was done."""
    assert reply.status_code < 400, (reply.status_code, reply.text)
    assert "error=" not in reply.headers.get("location", "")
    return reply


def unavailable(reply: httpx2.Response) -> bool:
    """Whether a reply is a 503 that says when to come back, that nobody keeps and that tells nothing of why."""
    told = reply.text.lower()
    return (
        reply.status_code == 503
        and int(reply.headers.get("retry-after", 0)) > 0
        and reply.headers["cache-control"] == "no-store"
        and not any(
            word in told for word in ("dynamodb", "sqlite", "amazon", "arn:aws", "127.0.0.1", "internal", "invalid_")
        )
    )


def shut(doors: Mapping[str, Knock]) -> set[str]:
    """The doors that say to come again later; every other one must do what it is for."""
    replies = {name: knock() for name, knock in doors.items()}
    closed = {name for name, reply in replies.items() if unavailable(reply)}
    for name in replies.keys() - closed:
        good(replies[name])
    return closed
