"""What a POST to `/mcp` asks for, decided from its headers and its message: era, form of the answer, small repairs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from mcp_app.protocol import HANDSHAKE_VERSIONS, VERSIONS
from mcp_app.transport.envelope import HEADER_MISMATCH, INVALID_REQUEST, Envelope, EnvelopeError

if TYPE_CHECKING:
    from mcp_app.tools.tool import Tool

VERSION_HEADER = b"mcp-protocol-version"
VERSION_META = "io.modelcontextprotocol/protocolVersion"
LOG_LEVEL_META = "io.modelcontextprotocol/logLevel"

RECEIVED_HEADERS = "mcp_app.received_headers"
"""Scope entry: the headers as received, where `headers` holds what the SDK must see."""

_BRIEF_METHODS = frozenset(
    ("server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list")
)

RawHeaders = Sequence[tuple[bytes, bytes]]
Form = Literal["json", "stream"]


@dataclass(frozen=True, slots=True)
class Accepts:
    """The media types that a client takes, of the two that there are."""

    json: bool
    sse: bool


def accepts(headers: RawHeaders) -> Accepts:
    """Read the Accept headers (RFC 9110, section 12.5.1); without one, a plain JSON answer is taken."""
    return _accepts(tuple(value for name, value in headers if name == b"accept"))


@lru_cache(maxsize=64)
def _accepts(given: tuple[bytes, ...]) -> Accepts:
    if not given:
        return Accepts(json=True, sse=False)
    types = set(_media_types(given))
    everything = "*/*" in types
    return Accepts(
        json=everything or bool(types & {"application/json", "application/*"}),
        sse=everything or bool(types & {"text/event-stream", "text/*"}),
    )


def accepted_answers(envelope: Envelope, headers: RawHeaders) -> Accepts:
    """The media types that may answer a message.

    The SDK refuses `subscriptions/listen` by its Accept before it finds that no subscriptions are served.
    """
    return Accepts(json=True, sse=True) if envelope.method == "subscriptions/listen" else accepts(headers)


def _media_types(values: Iterable[bytes]) -> Iterable[str]:
    for value in values:
        for item in value.decode("latin-1").split(","):
            media_type, *parameters = (part.strip().lower() for part in item.split(";"))
            if not any(_is_zero(parameter) for parameter in parameters):
                yield media_type


def _is_zero(parameter: str) -> bool:
    name, _, weight = parameter.partition("=")
    return name.strip() == "q" and weight.strip() in ("0", "0.0", "0.00", "0.000")


def is_json(headers: RawHeaders) -> bool:
    """Whether the body claims to be JSON (`application/json`, with any parameters)."""
    given = next((value for name, value in headers if name == b"content-type"), b"")
    return given.split(b";")[0].strip().lower() == b"application/json"


def check_media_types(headers: RawHeaders) -> None:
    """Refuse a body that is not JSON, and a client that does not take JSON.

    Raises:
        EnvelopeError: with status 415 or 406.
    """
    if not is_json(headers):
        raise EnvelopeError(INVALID_REQUEST, "The Content-Type must be application/json.", status=415)
    if not accepts(headers).json:
        message = "The client must accept application/json, and text/event-stream for streams."
        raise EnvelopeError(INVALID_REQUEST, message, status=406)


def protocol_version(headers: RawHeaders) -> str | None:
    """The `MCP-Protocol-Version` header; None where it is absent."""
    return next((value.decode("latin-1") for name, value in headers if name == VERSION_HEADER), None)


def check_version_header(envelope: Envelope, version: str | None) -> None:
    """Refuse a request whose body speaks for a self-describing version that the header does not name.

    The SDK tells the eras apart by the header alone and would serve such a request in the wrong one.

    Raises:
        EnvelopeError: -32020, as the 2026-07-28 transport demands.
    """
    if envelope.request_id is None or envelope.method == "initialize" or VERSION_META not in envelope.meta:
        return
    if version is None or version in HANDSHAKE_VERSIONS:
        raise EnvelopeError(
            HEADER_MISMATCH,
            "The MCP-Protocol-Version header must be present and equal to the version in params._meta.",
            envelope.request_id,
        )


def check_direction(envelope: Envelope, version: str | None) -> None:
    """Refuse a response where clients must not send any; elsewhere it is taken, though nothing waits for it here.

    Raises:
        EnvelopeError: it is a response, and of a version in which servers ask nothing by themselves.
    """
    if envelope.method is None and version is not None and version not in HANDSHAKE_VERSIONS:
        raise EnvelopeError(INVALID_REQUEST, "The body must be a request or a notification, not a response.")


def answer_form(envelope: Envelope, version: str | None, accepted: Accepts, tool: "Tool[Any] | None") -> Form:
    """Whether to answer with one JSON object or to allow a stream of events.

    A self-describing request may stream whenever the client takes it: the SDK begins a stream only when there is
    something to send, or nothing came for a while. Being ready for it is a third of a short call's cost, so calls that
    are answered at once go without. In the handshake era the SDK streams from the start, so only calls that will use
    it do. `tool` is what a `tools/call` names, where there is such a tool.
    """
    if not accepted.sse:
        return "json"
    asked = "progressToken" in envelope.meta
    if version is not None and version not in HANDSHAKE_VERSIONS:
        heard = asked or LOG_LEVEL_META in envelope.meta
        return "json" if _is_brief(envelope, tool) and not heard else "stream"
    wanted = envelope.method == "tools/call" and (asked or (tool is not None and tool.streaming))
    return "stream" if wanted else "json"


def _is_brief(envelope: Envelope, tool: "Tool[Any] | None") -> bool:
    if tool is None:
        return envelope.method in _BRIEF_METHODS
    return not tool.streaming and not tool.annotations.open_world


def repaired(envelope: Envelope) -> dict[str, Any] | None:
    """The message with what clients are known to leave out of `initialize`; None where nothing is missing."""
    if envelope.method != "initialize" or isinstance(envelope.params.get("capabilities"), dict):
        return None
    return {**envelope.message, "params": {**envelope.params, "capabilities": {}}}


def sdk_headers(envelope: Envelope, headers: RawHeaders, accepted: Accepts) -> list[tuple[bytes, bytes]]:
    """The headers as the SDK must see them to serve the request.

    An `initialize` offers its version in the body, so a version header that names none that exists is dropped; a
    missing Accept counts as JSON.
    """
    kept = [(name, value) for name, value in headers if name != b"accept"]
    if envelope.method == "initialize" and protocol_version(headers) not in VERSIONS:
        kept = [(name, value) for name, value in kept if name != VERSION_HEADER]
    form = [b"application/json"] * accepted.json + [b"text/event-stream"] * accepted.sse
    return [*kept, (b"accept", b", ".join(form))]
