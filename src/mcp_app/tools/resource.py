"""Resources and prompts: what the server offers beside tools."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import unquote

from mcp_app.tools.content import Content, NeedsInput
from mcp_app.tools.context import ToolContext

APP_SCHEME: Final = "ui://"
"""What the URI of an app begins with: a page in which a host shows a tool's result (MCP Apps, SEP-1865)."""

APP_MIME_TYPE: Final = "text/html;profile=mcp-app"
"""The only type that hosts show such a page of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something to read at a fixed URI; `read` gives text, or bytes for anything else.

    Attributes:
        constant: it stays the same for as long as this version of the server runs, so a subscription to its changes
            can be granted without anything to remember.
        meta: extra `_meta` entries of its listing; of an app, also of what reading it gives.
    """

    uri: str
    name: str
    read: Callable[[], Awaitable[str | bytes]]
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    constant: bool = False
    meta: Mapping[str, Any] | None = None

    @property
    def is_app(self) -> bool:
        """Whether it is a page that hosts show a tool's result in."""
        return self.uri.startswith(APP_SCHEME)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceTemplate:
    """A family of resources: `{name}` in the template stands for one path segment, handed to `read` by name."""

    uri_template: str
    name: str
    read: Callable[[Mapping[str, str]], Awaitable[str | bytes]]
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None

    def match(self, uri: str) -> Mapping[str, str] | None:
        """The values that make this template that URI, percent-decoded; None where none do."""
        literals_and_names = re.split(r"\{(\w+)\}", self.uri_template)
        pattern = "".join(
            f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(literals_and_names)
        )
        found = re.fullmatch(pattern, uri)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


@dataclass(frozen=True, slots=True)
class Contents:
    """What reading a resource gave: text, or bytes for anything else.

    Attributes:
        meta: `_meta` entries that go with it; hosts take an app's policy from here before its listing.
    """

    data: str | bytes
    mime_type: str | None
    meta: Mapping[str, Any] | None = None


async def read_resource(
    uri: str, resources: Iterable[Resource], templates: Iterable[ResourceTemplate]
) -> Contents | None:
    """Read what a URI stands for: the resource of that URI, else the first template that matches; None for neither."""
    for resource in resources:
        if resource.uri == uri:
            return Contents(await resource.read(), resource.mime_type, resource.meta if resource.is_app else None)
    for template in templates:
        values = template.match(uri)
        if values is not None:
            return Contents(await template.read(values), template.mime_type)
    return None


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
    """A prompt that a person may choose; `render` makes its messages, or asks for more, from arguments and context."""

    name: str
    render: Callable[[Mapping[str, str], ToolContext], Awaitable[Sequence[PromptMessage] | NeedsInput]]
    title: str | None = None
    description: str | None = None
    arguments: tuple[PromptArgument, ...] = ()
