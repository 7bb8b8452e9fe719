"""Resources and prompts: what the server offers beside tools."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mcp_app.tools.content import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something to read at a fixed URI; `read` gives text, or bytes for anything else."""

    uri: str
    name: str
    read: Callable[[], Awaitable[str | bytes]]
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    meta: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceTemplate:
    """A family of resources: `{name}` in the template stands for one path segment, handed to `read` by name."""

    uri_template: str
    name: str
    read: Callable[[Mapping[str, str]], Awaitable[str | bytes]]
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None


@dataclass(frozen=True, slots=True)
class PromptArgument:
    """One argument of a prompt; `suggestions` are its completions."""

    name: str
    description: str | None = None
    required: bool = False
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of a prompt's result."""

    role: Literal["user", "assistant"]
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt that a person may choose; `render` makes its messages from the arguments."""

    name: str
    render: Callable[[Mapping[str, str]], Awaitable[Sequence[PromptMessage]]]
    title: str | None = None
    description: str | None = None
    arguments: tuple[PromptArgument, ...] = ()
