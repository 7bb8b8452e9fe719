"""The registry's records as MCP's JSON objects (schema 2026-07-28), without the SDK.

The SDK validates what is made here against the negotiated version's schema and drops what that version does not know.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel

from mcp_app.tools.access import needed_scopes
from mcp_app.tools.content import Audio, Content, EmbeddedResource, Image, NeedsInput, ResourceLink, Text
from mcp_app.tools.outcome import Outcome
from mcp_app.tools.registry import Registry, underscored
from mcp_app.tools.resource import Prompt, PromptMessage, Resource, ResourceTemplate
from mcp_app.tools.tool import Tool

JSON = dict[str, Any]
Access = Literal["oauth", "provider", "noauth"]

INSTRUCTIONS_LENGTH = 512
"""Characters of `instructions` that ChatGPT reads."""

APPS_EXTENSION: Final = "io.modelcontextprotocol/ui"
"""The extension that a server with apps advertises (MCP Apps, SEP-1865)."""

_DOTTED = re.compile(r"\b([a-z]+)\.([a-z]+[A-Z]\w*)")
"""A tool's name with a dot, in a text."""

COMPLETIONS = 100
"""Values that one completion may hold."""


def listed_tool(tool: Tool[Any], *, dotted: bool = False, access: Access | None = None) -> JSON:
    """A tool as `tools/list` shows it.

    Args:
        tool: which one.
        dotted: keep dots in its name, which many clients refuse.
        access: how callers get in; None where a client cannot do anything about it.
    """
    return _present(
        name=tool.name if dotted else underscored(tool.name),
        title=tool.title,
        description=tool.description,
        inputSchema=tool.input_schema,
        outputSchema=tool.output_schema,
        annotations={
            "title": tool.title,
            "readOnlyHint": tool.annotations.read_only,
            "destructiveHint": tool.annotations.destructive,
            "idempotentHint": tool.annotations.idempotent,
            "openWorldHint": tool.annotations.open_world,
        },
        _meta=_tool_meta(tool, access) or None,
    )


def security_schemes(tool: Tool[Any], access: Access) -> list[JSON]:
    """What a call of a tool needs, as ChatGPT reads it (Apps SDK, "Authentication")."""
    if access == "noauth":
        return [{"type": "noauth"}]
    # Another authorization server knows the tool's own scopes at most, and would refuse ours.
    scopes = tool.scopes if access == "provider" else needed_scopes(tool)
    return [{"type": "oauth2", **({"scopes": sorted(scopes)} if scopes else {})}]


def _tool_meta(tool: Tool[Any], access: Access | None) -> JSON:
    # The schema has no `securitySchemes`, so they would be dropped anywhere but here; ChatGPT reads them here too.
    schemes = None if access is None else security_schemes(tool, access)
    return dict(tool.meta or {}) | _present(securitySchemes=schemes, auth=tool.auth)


def called_tool(outcome: Outcome, meta: JSON | None = None) -> JSON:
    """The `CallToolResult` of an outcome that needs no further input."""
    return _present(
        content=[content_block(block) for block in outcome.content],
        structuredContent=outcome.structured,
        isError=outcome.is_error,
        _meta=meta,
    )


def input_required(needs: NeedsInput) -> JSON:
    """The `InputRequiredResult` that asks the client for input (2026-07-28)."""
    return _present(
        resultType="input_required",
        inputRequests={
            key: {"method": request.method, "params": dict(request.params)} for key, request in needs.requests.items()
        }
        or None,
        requestState=needs.state,
    )


def content_block(content: Content) -> JSON:
    """One `ContentBlock`."""
    match content:
        case Text(text):
            return {"type": "text", "text": text}
        case Image(data, mime_type):
            return {"type": "image", "data": _base64(data), "mimeType": mime_type}
        case Audio(data, mime_type):
            return {"type": "audio", "data": _base64(data), "mimeType": mime_type}
        case EmbeddedResource(uri, contents, mime_type):
            return {"type": "resource", "resource": resource_contents(uri, contents, mime_type)}
        case ResourceLink(uri, name, description, mime_type):
            return _present(type="resource_link", uri=uri, name=name, description=description, mimeType=mime_type)


def resource_contents(
    uri: str, contents: str | bytes, mime_type: str | None, meta: Mapping[str, Any] | None = None
) -> JSON:
    """`TextResourceContents` of text, `BlobResourceContents` of bytes."""
    if isinstance(contents, str):
        return _present(uri=uri, mimeType=mime_type, text=contents, _meta=meta)
    return _present(uri=uri, mimeType=mime_type, blob=_base64(contents), _meta=meta)


def extensions(registry: Registry) -> dict[str, JSON]:
    """The protocol's extensions that a registry makes use of, each with its settings."""
    return {APPS_EXTENSION: {}} if any(resource.is_app for resource in registry.resources) else {}


def listed_resource(resource: Resource) -> JSON:
    """A resource as `resources/list` shows it."""
    return _present(
        uri=resource.uri,
        name=resource.name,
        title=resource.title,
        description=resource.description,
        mimeType=resource.mime_type,
        _meta=resource.meta,
    )


def listed_template(template: ResourceTemplate) -> JSON:
    """A resource template as `resources/templates/list` shows it."""
    return _present(
        uriTemplate=template.uri_template,
        name=template.name,
        title=template.title,
        description=template.description,
        mimeType=template.mime_type,
    )


def listed_prompt(prompt: Prompt) -> JSON:
    """A prompt as `prompts/list` shows it."""
    arguments = [
        _present(name=argument.name, description=argument.description, required=argument.required)
        for argument in prompt.arguments
    ]
    return _present(name=prompt.name, title=prompt.title, description=prompt.description, arguments=arguments or None)


def rendered_prompt(prompt: Prompt, messages: Sequence[PromptMessage]) -> JSON:
    """The `GetPromptResult` of a prompt's messages."""
    return _present(
        description=prompt.description,
        messages=[{"role": message.role, "content": content_block(message.content)} for message in messages],
    )


def completion(suggestions: Sequence[str], typed: str) -> JSON:
    """The `CompleteResult` of those suggestions that begin with what was typed, a hundred at most."""
    matching = [suggestion for suggestion in suggestions if suggestion.lower().startswith(typed.lower())]
    shown = matching[:COMPLETIONS]
    return {"completion": {"values": shown, "total": len(matching), "hasMore": len(matching) > len(shown)}}


def mirrors(tool: Tool[Any]) -> bool:
    """Whether a tool's schema asks clients to mirror arguments in headers (`x-mcp-header`).

    Schemas are dear to derive, so only those are looked at in which a field can say so.
    """
    fields = tool.arguments.model_fields.values()
    if tool.schema is None and not any(field.json_schema_extra or _nests(field.annotation) for field in fields):
        return False
    return '"x-mcp-header"' in json.dumps(tool.input_schema)


def _nests(annotation: Any) -> bool:
    inner = get_args(annotation)
    return any(map(_nests, inner)) if inner else isinstance(annotation, type) and issubclass(annotation, BaseModel)


def instructions(registry: Registry, *, dotted: bool = False) -> str | None:
    """What the server offers, in as many characters as every client reads; None where it offers no tools."""
    if not registry.tools:
        return None
    if registry.instructions is not None:
        return registry.instructions if dotted else _DOTTED.sub(r"\1_\2", registry.instructions)
    text = "Tools for a model to call, each described in tools/list:"
    for tool in registry.tools:
        entry = f" {tool.name if dotted else underscored(tool.name)} ({tool.title});"
        if len(text) + len(entry) > INSTRUCTIONS_LENGTH - len(" and more."):
            return f"{text} and more."
        text += entry
    return f"{text[:-1]}."


def required_capabilities(needs: NeedsInput, declared: Mapping[str, Any]) -> JSON:
    """The client capabilities that questions need and the client did not declare; empty when it declared all."""
    wanted: JSON = {}
    for request in needs.requests.values():
        for path in _capability_paths(request.method, request.params):
            if not _has(declared, path):
                _put(wanted, path)
    return wanted


def _capability_paths(method: str, params: Mapping[str, Any]) -> list[tuple[str, ...]]:
    match method:
        case "elicitation/create":
            return [("elicitation", "url")] if params.get("mode") == "url" else [("elicitation",)]
        case "sampling/createMessage":
            return [("sampling", "tools")] if params.get("tools") else [("sampling",)]
        case "roots/list":
            return [("roots",)]
        case _:
            return []


def _has(declared: Any, path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(declared, Mapping) or declared.get(key) is None:
            return False
        declared = declared[key]
    return True


def _put(wanted: JSON, path: tuple[str, ...]) -> None:
    for key in path:
        wanted = wanted.setdefault(key, {})


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _present(**members: Any) -> JSON:
    return {name: value for name, value in members.items() if value is not None}
