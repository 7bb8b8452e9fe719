"""An ASGI app called in this process: what its calls cost without sockets, servers and clients."""

from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette

from bench.http_client import Reply

Message = MutableMapping[str, Any]


class App:
    """An app whose lifespan was entered."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Call it, and put its answer together."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(_scope(path, headers), receive, send)
        start, *rest = sent
        received = {name.decode(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], received, b"".join(part.get("body", b"") for part in rest))

    async def post_form(self, path: str, form: Mapping[str, str]) -> Reply:
        """Post a form."""
        return await self.post(path, {"content-type": "application/x-www-form-urlencoded"}, urlencode(form).encode())


@asynccontextmanager
async def entered(app: Starlette) -> AsyncIterator[App]:
    """The app between its lifespan's beginning and end."""
    failure: Exception | None = None
    async with app.router.lifespan_context(app):
        try:
            yield App(app)
        except Exception as error:  # noqa: BLE001 - the lifespan's task groups would wrap it
            failure = error
    if failure is not None:
        raise failure


def _scope(path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), *((name.encode(), value.encode()) for name, value in headers.items())],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
