"""The transport alone, without the app's middleware: whoever calls is who the header `X-Subject` says."""

from collections.abc import Mapping
from typing import Any

from auth.principal import ANONYMOUS, Principal
from mcp_app.clients import Clients
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry
from mcp_app.transport.streamable_http import StreamableHTTP


class SecretsInHand:
    """Secrets that a test can change: in `stored` for who asks anew, in `known` for everybody.

    Attributes:
        asked: how often one was wanted; `renewed`, how often anew.
    """

    def __init__(self, **values: str) -> None:
        self.known = dict(values)
        self.stored = dict(values)
        self.asked = self.renewed = 0

    async def get(self, name: str, *, refresh: bool = False) -> str | None:
        self.asked += 1
        if refresh:
            self.renewed += 1
            self.known = dict(self.stored)
        return self.known.get(name)


class Bare:
    """An ASGI app that is only the transport."""

    def __init__(self, registry: Registry, secrets: SecretsInHand, **settings: Any) -> None:
        made = Settings(auth_mode="noauth", **settings)
        self.mcp = StreamableHTTP(registry, made, Clients(made, Secrets(made)), secrets)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            scope["principal"] = _principal(dict(scope["headers"]))
            await self.mcp(scope, receive, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        async with self.mcp.run():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def _principal(headers: Mapping[bytes, bytes]) -> Principal:
    subject = headers.get(b"x-subject")
    return ANONYMOUS if subject is None else Principal(subject=subject.decode())
