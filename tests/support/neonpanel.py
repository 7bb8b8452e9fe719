"""Calls of the NeonPanel tools, as any door makes them, with the sandbox behind."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from auth.principal import Principal, ProviderToken
from mcp_app.clients import Clients
from mcp_app.clients.http import Http
from mcp_app.clients.neonpanel.api import NeonPanel
from mcp_app.clients.neonpanel.rights import Caller
from mcp_app.deadline import Deadline
from mcp_app.rights import Rights
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.tools.catalogue import catalogue
from mcp_app.tools.context import ToolContext
from mcp_app.tools.outcome import Outcome
from sandbox import Received, Sandbox

LUMEN = "Lumen & Oak Ltd"
PERIOD = {"start_date": "2025-01-01", "end_date": "2025-03-31"}


def person(sandbox: Sandbox, user: str = "ann", scope: str = "openid", **claims: Any) -> Principal:
    """Somebody who came in with an access token of the sandbox's."""
    token = ProviderToken(
        value=sandbox.access_token(user, scope, **claims),
        issuer=sandbox.url,
        scopes=frozenset(scope.split()),
        tenant=claims.get("tenant"),
        expires=time.time() + 3600,
    )
    return Principal(user, "app", None, token)


class Tools:
    """The tools of a server with certain settings.

    Attributes:
        clients: what they share; a new one knows nothing of the tokens and companies that another has fetched.
    """

    def __init__(self, sandbox: Sandbox, clients: Clients, settings: Settings) -> None:
        self.sandbox = sandbox
        self.clients = clients
        self.registry = catalogue(settings)

    async def call(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        who: Principal | str = "ann",
        seconds: float = 20,
        **context: Any,
    ) -> Outcome:
        """One call; `name` without `neonpanel.`, `who` a principal or a person of the sandbox."""
        principal = person(self.sandbox, who) if isinstance(who, str) else who
        made = ToolContext(deadline=Deadline.after(seconds), clients=self.clients, principal=principal, **context)
        return await self.registry.call(f"neonpanel.{name}", arguments or {}, made)

    async def result(self, name: str, arguments: dict[str, Any] | None = None, **more: Any) -> Any:
        """The structured result of a call that works."""
        outcome = await self.call(name, arguments, **more)
        assert not outcome.is_error, outcome
        return outcome.structured


@asynccontextmanager
async def tools(sandbox: Sandbox, **settings: Any) -> AsyncIterator[Tools]:
    """The tools of a server that has just started."""
    made = Settings.from_environment(sandbox.settings()).replace(**settings)
    clients = Clients(made, Secrets(made))
    try:
        yield Tools(sandbox, clients, made)
    finally:
        await clients.aclose()


@asynccontextmanager
async def api(sandbox: Sandbox, clock: Callable[[], float] = time.time, **settings: Any) -> AsyncIterator[NeonPanel]:
    """NeonPanel's API without the tools before it, by a clock of one's own."""
    made = Settings.from_environment(sandbox.settings()).replace(**settings)
    http = Http("probe", jitter=lambda: 0.0)
    try:
        yield NeonPanel(http, made, Secrets(made), clock)
    finally:
        await http.aclose()


def calling(principal: Principal, rights: Rights = "user", seconds: float = 20) -> Caller:
    """A caller who has so many seconds."""
    return Caller(principal, rights, Deadline.after(seconds))


def sent(sandbox: Sandbox, path: str = "", area: str = "api") -> list[Received]:
    """What the sandbox received there, on paths that hold this."""
    return [request for request in sandbox.requests if request.area == area and path in request.path]
