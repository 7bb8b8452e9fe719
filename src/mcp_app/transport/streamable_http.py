"""`POST /mcp`: one JSON-RPC message in; a JSON object or a stream of events out.

The SDK serves both protocol eras. What stands here is what it does not do: refuse in one clear sentence what is not a
message, choose the form of the answer, repair what clients are known to leave out.
"""

import json
import logging
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from mcp_app.lean_import import import_server
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry, UnknownToolError
from mcp_app.transport import negotiation
from mcp_app.transport.access import denial
from mcp_app.transport.body import ClientGoneError, read_body, replay
from mcp_app.transport.envelope import INTERNAL_ERROR, Envelope, EnvelopeError, read_envelope
from mcp_app.transport.reply import deny, refuse, reply

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from mcp_app.clients import Clients
    from mcp_app.tools.tool import Tool
    from mcp_app.transport.request_state import SecretSource

logger = logging.getLogger(__name__)


class StreamableHTTP:
    """An ASGI app for the streamable HTTP transport, stateless.

    Args:
        registry: what is served.
        clients: outbound services that tools use.
        secrets: where the key that seals `requestState` comes from.
    """

    def __init__(self, registry: Registry, settings: Settings, clients: "Clients", secrets: "SecretSource") -> None:
        self._registry = registry
        self._max_body_bytes = settings.max_body_bytes
        self._server = import_server(lean=settings.lean_import)(registry, settings, clients, secrets)

    def run(self) -> AbstractAsyncContextManager[None]:
        """What must be entered once, in the app's lifespan, for the time that it serves."""
        return self._server.run()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one HTTP request; `scope["principal"]` says whose it is."""
        if scope["method"] != "POST":
            await reply(send, 405, None, [(b"allow", b"POST")])
            return
        try:
            envelope, body = await self._read(scope, receive)
        except ClientGoneError:
            return
        except EnvelopeError as error:
            await refuse(send, error)
            return
        scope["rpc"] = {"method": envelope.method, "tool": envelope.tool}
        denied = denial(envelope, scope["principal"], self._tool(envelope.tool))
        if denied is not None:
            await deny(denied, envelope, scope, receive, send)
        elif envelope.method is None:
            await reply(send, 202, None)
        else:
            await self._serve(envelope, scope, replay(body, receive), send)

    async def _read(self, scope: "Scope", receive: "Receive") -> tuple[Envelope, bytes]:
        """The message and the body that the SDK is to see."""
        headers = scope["headers"]
        negotiation.check_media_types(headers)
        body = await read_body(headers, receive, self._max_body_bytes)
        envelope = read_envelope(body)
        version = negotiation.protocol_version(headers)
        negotiation.check_version_header(envelope, version)
        negotiation.check_direction(envelope, version)
        repaired = negotiation.repaired(envelope)
        return envelope, body if repaired is None else json.dumps(repaired).encode()

    async def _serve(self, envelope: Envelope, scope: "Scope", receive: "Receive", send: "Send") -> None:
        accepted = negotiation.accepted_answers(envelope, scope["headers"])
        headers = negotiation.sdk_headers(envelope, scope["headers"], accepted)
        version = negotiation.protocol_version(headers)
        form = negotiation.answer_form(envelope, version, accepted, self._tool(envelope.tool))
        inner = {**scope, "headers": headers, negotiation.RECEIVED_HEADERS: scope["headers"]}
        watched = _Watched(send)
        try:
            await self._server.serve(form, inner, receive, watched)
        except Exception:
            if watched.started:
                raise
            logger.exception("%s failed in the transport", envelope.method)
            message = "Internal error. It has been logged."
            await refuse(send, EnvelopeError(INTERNAL_ERROR, message, envelope.request_id, status=500))

    def _tool(self, name: str | None) -> "Tool[Any] | None":
        try:
            return None if name is None else self._registry.get(name)
        except UnknownToolError:
            return None


class _Watched:
    """A `send` that remembers whether the response has begun."""

    def __init__(self, send: "Send") -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: "Message") -> None:
        self.started = True
        await self._send(message)
