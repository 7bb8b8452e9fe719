"""One JSON-RPC message out of a request body, or the error that says what is wrong with it (JSON-RPC 2.0, section 5.1).

The SDK answers malformed messages with its validator's own text, or takes a request whose id is an object for a
notification; here each defect has one short sentence, and the id is echoed where the message has a usable one.
"""

from dataclasses import dataclass
from typing import Any

from mcp_app.json_text import DEPTH, TooDeepError, decoded

JSON = dict[str, Any]
RequestId = str | int

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
INTERNAL_ERROR = -32603
HEADER_MISMATCH = -32020


class EnvelopeError(Exception):
    """The request does not hold one JSON-RPC message that the server can take.

    Attributes:
        code: the JSON-RPC error code.
        message: one sentence for the caller.
        request_id: the request's id; None where it has none that can be echoed.
        status: the HTTP status.
    """

    def __init__(self, code: int, message: str, request_id: RequestId | None = None, *, status: int = 400) -> None:
        super().__init__(code, message, request_id, status)
        self.code = code
        self.message = message
        self.request_id = request_id
        self.status = status


@dataclass(frozen=True, slots=True)
class Envelope:
    """One JSON-RPC message.

    Attributes:
        message: the whole object, as decoded.
        method: None for a response.
        request_id: None for a notification and for a response.
    """

    message: JSON
    method: str | None
    request_id: RequestId | None

    @property
    def params(self) -> JSON:
        """The `params` object; empty where there is none."""
        return self.message.get("params") or {}

    @property
    def meta(self) -> JSON:
        """The `_meta` of the params; empty where there is none that is an object."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}

    @property
    def tool(self) -> str | None:
        """The tool that a `tools/call` names."""
        name = self.params.get("name")
        return name if self.method == "tools/call" and isinstance(name, str) else None


def read_envelope(body: bytes) -> Envelope:
    """Decode a body and check that it is one request, notification or response.

    Raises:
        EnvelopeError: it is not.
    """
    message = _decode(body)
    if isinstance(message, list):
        raise EnvelopeError(INVALID_REQUEST, "JSON-RPC batches are not supported: send one message per request.")
    if not isinstance(message, dict):
        raise EnvelopeError(INVALID_REQUEST, "The body must be one JSON-RPC object.")
    if "method" not in message and ("result" in message or "error" in message):
        return Envelope(message, None, None)
    request_id = message.get("id")
    usable = isinstance(request_id, str | int) and not isinstance(request_id, bool)
    if "id" in message and not usable:
        raise EnvelopeError(INVALID_REQUEST, "The id must be a string or an integer.")
    return _call(message, request_id)


def _call(message: JSON, request_id: RequestId | None) -> Envelope:
    method = message.get("method")
    if message.get("jsonrpc") != "2.0":
        raise EnvelopeError(INVALID_REQUEST, 'The jsonrpc member must be "2.0".', request_id)
    if not isinstance(method, str):
        raise EnvelopeError(INVALID_REQUEST, "The method must be a string.", request_id)
    if not isinstance(message.get("params"), dict | None):
        raise EnvelopeError(INVALID_REQUEST, "The params must be an object.", request_id)
    return Envelope(message, method, request_id)


def _decode(body: bytes) -> Any:
    try:
        # `json.loads` of bytes would guess at UTF-16, and let surrogates in UTF-8 pass.
        return decoded(body.decode())
    except TooDeepError:
        raise EnvelopeError(PARSE_ERROR, f"The body is nested more than {DEPTH} levels deep.") from None
    except ValueError:
        raise EnvelopeError(PARSE_ERROR, "The body is not valid JSON.") from None
