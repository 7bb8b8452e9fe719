"""Replies that the transport gives by itself, without the SDK."""

import json
from typing import TYPE_CHECKING, Any

from mcp_app.challenge import SCOPE_KEY, UNAUTHORIZED, Challenge
from mcp_app.transport.envelope import Envelope, EnvelopeError
from mcp_app.transport.negotiation import VERSION_META
from mcp_app.web.errors import error_response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from mcp_app.transport.access import Denial


async def reply(
    send: "Send", status: int, document: dict[str, Any] | None, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Send a JSON object, or an empty body."""
    body = b"" if document is None else json.dumps(document).encode()
    typed = [] if document is None else [(b"content-type", b"application/json")]
    lengthy = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*typed, lengthy, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: "Send", refusal: EnvelopeError) -> None:
    """Send a JSON-RPC error."""
    error = {"code": refusal.code, "message": refusal.message}
    await reply(send, refusal.status, {"jsonrpc": "2.0", "id": refusal.request_id, "error": error})


async def deny(denied: "Denial", envelope: Envelope, scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Send a 401 or 403 with its challenge.

    The body of a refused tool call is a tool's result, which ChatGPT reads the challenge from; of anything else it is
    an OAuth error.
    """
    challenge: Challenge | None = scope.get(SCOPE_KEY)
    headers = {} if challenge is None else {"WWW-Authenticate": _header(challenge, denied)}
    if envelope.method != "tools/call" or envelope.request_id is None:
        refusal = error_response(denied.status, denied.error or UNAUTHORIZED, denied.description, headers)
        await refusal(scope, receive, send)
        return
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await reply(send, denied.status, _answer(denied, envelope, challenge), [*raw, (b"cache-control", b"no-store")])


def _header(challenge: Challenge, denied: "Denial") -> str:
    # Whoever has no token yet is asked for all scopes at once; who has one, for what is missing.
    return challenge.header() if denied.error is None else challenge.header(*denied[1:])


def _answer(denied: "Denial", envelope: Envelope, challenge: Challenge | None) -> dict[str, Any]:
    result: dict[str, Any] = {"content": [{"type": "text", "text": denied.description}], "isError": True}
    if VERSION_META in envelope.meta:
        result["resultType"] = "complete"
    if challenge is not None:
        result["_meta"] = challenge.in_band(denied.description, denied.scopes)
    return {"jsonrpc": "2.0", "id": envelope.request_id, "result": result}
