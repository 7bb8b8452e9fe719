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
from mcp_app.transport.body import BodyTooLargeError, ClientGoneError, read_body, replay
from mcp_app.transport.envelope import INTERNAL_ERROR, INVALID_REQUEST, Envelope, EnvelopeError, read_envelope

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
            await _reply(send, 405, None, [(b"allow", b"POST")])
            return
        try:
            _check_media_types(scope["headers"])
            body = await read_body(scope["headers"], receive, self._max_body_bytes)
            envelope = read_envelope(body)
            negotiation.check_version_header(envelope, negotiation.protocol_version(scope["headers"]))
        except ClientGoneError:
            return
        except BodyTooLargeError:
            message = f"The body is larger than {self._max_body_bytes} bytes."
            await _refuse(send, 413, EnvelopeError(INVALID_REQUEST, message))
        except _MediaTypeError as error:
            await _refuse(send, error.status, EnvelopeError(INVALID_REQUEST, str(error)))
        except EnvelopeError as error:
            await _refuse(send, 400, error)
        else:
            scope["rpc"] = {"method": envelope.method, "tool": envelope.tool}
            repaired = negotiation.repaired(envelope)
            body = body if repaired is None else json.dumps(repaired).encode()
            await self._serve(envelope, scope, replay(body, receive), send)

    async def _serve(self, envelope: Envelope, scope: "Scope", receive: "Receive", send: "Send") -> None:
        accepted = negotiation.accepts(scope["headers"])
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
            error = EnvelopeError(INTERNAL_ERROR, "Internal error. It has been logged.", envelope.request_id)
            await _refuse(send, 500, error)

    def _tool(self, name: str | None) -> "Tool[Any] | None":
        try:
            return None if name is None else self._registry.get(name)
        except UnknownToolError:
            return None


class _MediaTypeError(Exception):
    """The request's Content-Type or Accept cannot be served.

    Attributes:
        status: the HTTP status that says so.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _check_media_types(headers: negotiation.RawHeaders) -> None:
    if not negotiation.is_json(headers):
        raise _MediaTypeError(415, "The Content-Type must be application/json.")
    if not negotiation.accepts(headers).json:
        raise _MediaTypeError(406, "The client must accept application/json, and text/event-stream for streams.")


class _Watched:
    """A `send` that remembers whether the response has begun."""

    def __init__(self, send: "Send") -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: "Message") -> None:
        self.started = True
        await self._send(message)


async def _refuse(send: "Send", status: int, error: EnvelopeError) -> None:
    document = {
        "jsonrpc": "2.0",
        "id": error.request_id,
        "error": {"code": error.code, "message": error.message},
    }
    await _reply(send, status, document)


async def _reply(
    send: "Send", status: int, document: dict[str, Any] | None, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    body = b"" if document is None else json.dumps(document).encode()
    typed = [] if document is None else [(b"content-type", b"application/json")]
    lengthy = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*typed, lengthy, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})
