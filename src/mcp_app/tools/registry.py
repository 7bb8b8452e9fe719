"""The one registry of tools, resources and prompts that every door reads."""

import importlib
import logging
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from mcp_app.clients.errors import AccessError, UpstreamError
from mcp_app.supervision import supervised
from mcp_app.tools.access import refused
from mcp_app.tools.content import Content, NeedsInput, Text
from mcp_app.tools.context import ToolContext
from mcp_app.tools.outcome import Outcome, Status
from mcp_app.tools.resource import APP_MIME_TYPE, Prompt, Resource, ResourceTemplate
from mcp_app.tools.tool import Answer, ForbiddenError, InvalidArgumentsError, Result, Tool, ToolError
from mcp_app.tools.validation import parse_arguments

logger = logging.getLogger(__name__)


class UnknownToolError(LookupError):
    """No tool of that name is offered to this caller."""


class Registry:
    """Tools, resources and prompts in a fixed order; calls go through here, whatever door they came by.

    Args:
        instructions: how the tools fit together, for a model; their names with dots.

    Raises:
        ValueError: two tools whose names a client could not tell apart, or an app that no host could show.
    """

    def __init__(
        self,
        tools: Iterable[Tool[Any]],
        resources: Iterable[Resource] = (),
        templates: Iterable[ResourceTemplate] = (),
        prompts: Iterable[Prompt] = (),
        instructions: str | None = None,
    ) -> None:
        self.tools = tuple(tools)
        self.resources = tuple(resources)
        self.templates = tuple(templates)
        self.prompts = tuple(prompts)
        self.instructions = instructions
        self._by_name = {underscored(tool.name): tool for tool in self.tools}
        if len(self._by_name) != len(self.tools):
            raise ValueError("two tools have the same name")
        _check_apps(self.tools, self.resources)

    def get(self, name: str) -> Tool[Any]:
        """The tool of that name, spelled with dots or underscores.

        Raises:
            UnknownToolError: there is none.
        """
        try:
            return self._by_name[underscored(name)]
        except KeyError:
            raise UnknownToolError(name) from None

    async def call(self, name: str, arguments: Any, context: ToolContext) -> Outcome:
        """Run one tool to its end, or to the deadline, for a principal who may.

        Raises:
            UnknownToolError: there is no such tool.
        """
        tool = self.get(name)
        return refused(tool, context.principal) or await _run(tool, arguments, replace(context, auth=tool.auth))


async def _run(tool: Tool[Any], arguments: Any, context: ToolContext) -> Outcome:
    try:
        parsed = parse_arguments(tool.arguments, arguments)
        answer = await supervised(lambda: tool.function(parsed, context), context.deadline.remaining())
        return _outcome(tool, answer)
    except (ToolError, UpstreamError) as error:
        return _refusal(error)
    except TimeoutError:
        return Outcome.refusal(Status.FAILED, f"{tool.title} did not finish in time. {_after_late(tool)}")
    except Exception:
        logger.exception("tool %s failed", tool.name)
        told = f"{tool.title} failed for an internal reason. It has been logged."
        return Outcome.refusal(Status.FAILED, told if tool.annotations.read_only else f"{told} {_after_late(tool)}")


def _after_late(tool: Tool[Any]) -> str:
    if tool.annotations.read_only:
        return "Try again later."
    return "It may have been carried out or not: look before you call again."


def _refusal(error: ToolError | UpstreamError) -> Outcome:
    match error:
        case InvalidArgumentsError():
            status = Status.INVALID
        case ForbiddenError() | AccessError():
            status = Status.FORBIDDEN
        case _:
            status = Status.FAILED
    told = error.normalised() if isinstance(error, UpstreamError) else None
    return Outcome.refusal(status, str(error), error.scopes, told)


def _check_apps(tools: Iterable[Tool[Any]], resources: Iterable[Resource]) -> None:
    apps = {resource.uri: resource for resource in resources if resource.is_app}
    for app in apps.values():
        if app.mime_type != APP_MIME_TYPE:
            raise ValueError(f"{app.uri} must be {APP_MIME_TYPE}, not {app.mime_type}")
    for tool in tools:
        shown_in = (tool.meta or {}).get("ui", {}).get("resourceUri")
        if shown_in is not None and shown_in not in apps:
            raise ValueError(f"{tool.name} is shown in {shown_in}, which is no app of this registry")


def underscored(name: str) -> str:
    """The name as clients that refuse dots see it."""
    return name.replace(".", "_")


def discover(package: ModuleType) -> Iterator[Tool[Any]]:
    """Every tool defined in a package's modules, by module name, then by order of definition."""
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        yield from (value for value in vars(module).values() if _defined_in(value, module))


def _defined_in(value: Any, module: ModuleType) -> bool:
    return isinstance(value, Tool) and value.function.__module__ == module.__name__


def _outcome(tool: Tool[Any], answer: Answer) -> Outcome:
    """The outcome of an answer; raises TypeError or ValueError where the tool gave what no client can be sent."""
    if isinstance(answer, NeedsInput):
        return Outcome(Status.NEEDS_INPUT, needs=answer)
    if not isinstance(answer, Result):
        return Outcome(Status.OK, tuple(_sendable(block) for block in answer))
    if not isinstance(answer, tool.result or Result):
        raise TypeError(f"{tool.name} declares another result than {type(answer).__name__}")
    return Outcome(Status.OK, (_sendable(Text(answer.text())),), answer.model_dump(mode="json", by_alias=True))


def _sendable(block: Content) -> Content:
    if not isinstance(block, Content):
        raise TypeError(f"{type(block).__name__} is no content")
    if isinstance(block, Text):
        block.text.encode()  # half a surrogate pair has no encoding
    return block
