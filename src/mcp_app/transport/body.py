"""A request's body, read whole within a limit and handed on again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mcp_app.transport.envelope import INVALID_REQUEST, EnvelopeError

if TYPE_CHECKING:
    from starlette.types import Message, Receive


READ_ON: Final = 2
"""Times the limit that is read of a larger body: a client that is still sending when the connection is closed gets an
error from its system, and never reads why it was refused."""


class ClientGoneError(Exception):
    """The client left before its body was whole."""


async def read_body(headers: Sequence[tuple[bytes, bytes]], receive: "Receive", limit: int) -> bytes:
    """Read the whole body, with or without a declared length.

    Raises:
        EnvelopeError: it has more than `limit` bytes (413).
        ClientGoneError: it ended early.
    """
    declared = next((value for name, value in headers if name == b"content-length"), b"")
    if declared.isdigit() and int(declared) > READ_ON * limit:
        raise _too_large(limit)
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        elif size > READ_ON * limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    if size > limit:
        raise _too_large(limit)
    return b"".join(chunks)


def _too_large(limit: int) -> EnvelopeError:
    return EnvelopeError(INVALID_REQUEST, f"The body is larger than {limit} bytes.", status=413)


def replay(body: bytes, receive: "Receive") -> "Receive":
    """A `receive` that gives the body once, then whatever comes next."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> "Message":
        return pending.pop() if pending else await receive()

    return receive_again
