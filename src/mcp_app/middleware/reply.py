"""Changing the head of a reply on its way out."""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send


def with_headers(send: Send, change: Callable[[MutableHeaders], None]) -> Send:
    """A `send` that lets `change` edit the headers when the reply starts, and passes every message on at once."""

    async def send_changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])  # optional in ASGI
            change(MutableHeaders(scope=message))
        await send(message)

    return send_changed
