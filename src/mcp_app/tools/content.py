"""What a tool may answer with: content blocks, or a question back to the client.

The shapes mirror the MCP schema's `ContentBlock` and `InputRequiredResult` (2026-07-28) without depending on the SDK,
so that every door (MCP, Bedrock, the CLI) maps them to its own form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: raw bytes and their media type."""

    data: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound: raw bytes and their media type."""

    data: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class EmbeddedResource:
    """A resource's contents inside a result: text as `str`, anything else as `bytes`."""

    uri: str
    contents: str | bytes
    mime_type: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceLink:
    """A resource that the client may read later."""

    uri: str
    name: str
    description: str | None = None
    mime_type: str | None = None


Content = Text | Image | Audio | EmbeddedResource | ResourceLink


@dataclass(frozen=True, slots=True)
class InputRequest:
    """One question to the client: an MCP request (`elicitation/create`, say) with its params."""

    method: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NeedsInput:
    """The tool cannot go on without answers; the client calls again with them and with `state`.

    Attributes:
        requests: the questions, by a key that the answers will carry.
        state: what the tool wants to find again; sealed on its way to the client and back.
    """

    requests: Mapping[str, InputRequest]
    state: str | None = None
