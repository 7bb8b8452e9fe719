"""A NeonPanel that gives the tokens which a test wants, and takes any; the sandbox is stricter."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.support.serve import serving

Respond = Callable[[Request], Awaitable[Response]]


def answers(body: Any, status: int = 200, **headers: str) -> Respond:
    """The same answer for everybody; text is taken for JSON as it is."""

    async def respond(_request: Request) -> Response:
        if isinstance(body, str):
            return Response(body, status, headers, media_type="application/json")
        return JSONResponse(body, status, headers)

    return respond


class Double:
    """What it answers, for a test to change.

    Attributes:
        exchange, introspect, token: what the three answer; a user's JWT is `jwt`, the service token `service`.
        api: what the API answers.
        requests: what it received, bodies read.
    """

    def __init__(self) -> None:
        self.url = ""
        self.exchange = answers({"user_jwt": "jwt", "expires_in": 600})
        self.introspect = answers({"active": False})
        self.token = answers({"access_token": "service", "expires_in": 600})
        self.api = answers({"count": 0, "data": []})
        self.requests: list[Request] = []

    def at(self, path: str) -> list[Request]:
        """The requests whose path begins so."""
        return [request for request in self.requests if request.scope["path"].startswith(path)]

    @property
    def bearers(self) -> list[str]:
        """The tokens that the API was called with."""
        return [request.headers["authorization"].removeprefix("Bearer ") for request in self.at("/api/")]

    def settings(self) -> dict[str, Any]:
        """The settings that lead here, by attribute."""
        return {
            "neonpanel_api_base": self.url,
            "neonpanel_user_jwt_url": f"{self.url}/exchange",
            "neonpanel_introspect_url": None,
            "neonpanel_token_url": f"{self.url}/token",
        }

    def introspecting(self) -> dict[str, Any]:
        """The same for a NeonPanel without an exchange."""
        urls = {"neonpanel_user_jwt_url": None, "neonpanel_introspect_url": f"{self.url}/introspect"}
        return self.settings() | urls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; whatever is nothing else is the API's."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        await request.body()
        self.requests.append(request)
        parts = {"/exchange": self.exchange, "/introspect": self.introspect, "/token": self.token}
        response = await parts.get(scope["path"], self.api)(request)
        await response(scope, receive, send)


@asynccontextmanager
async def double() -> AsyncIterator[Double]:
    """One that is served while the block runs."""
    made = Double()
    async with serving(made) as url:
        made.url = url
        yield made
