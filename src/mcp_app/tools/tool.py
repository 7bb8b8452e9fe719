"""What a tool is: typed arguments, a typed result, and an async function between them."""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict

from mcp_app.rights import Rights
from mcp_app.tools.content import Content, NeedsInput
from mcp_app.tools.context import ToolContext
from mcp_app.tools.schema import flat_schema

JSON = dict[str, Any]


class Arguments(BaseModel):
    """Base of every tool's arguments: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Result(BaseModel):
    """Base of every tool's structured result."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, defer_build=True)

    def text(self) -> str:
        """The result as text content; the JSON itself unless a result has a better one."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), ensure_ascii=False, allow_nan=False)


class ToolError(Exception):
    """The tool could not do it; the message is for the person or model that called, so it says what to do next."""

    scopes: frozenset[str] = frozenset()


class InvalidArgumentsError(ToolError):
    """The arguments are of the right shape but cannot be used (an unknown ZIP code, say)."""


class ForbiddenError(ToolError):
    """The caller may not do this; the message says what is missing.

    Attributes:
        scopes: all that the call needs, where more of them would help.
    """

    def __init__(self, message: str, scopes: Collection[str] = ()) -> None:
        super().__init__(message)
        self.scopes = frozenset(scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """What a client may assume of a tool (MCP `ToolAnnotations`): its four hints."""

    read_only: bool
    destructive: bool = False
    idempotent: bool = True
    open_world: bool


ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)
Answer = Result | Sequence[Content] | NeedsInput
Function = Callable[[ArgumentsT, ToolContext], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)
class Tool(Generic[ArgumentsT]):
    """A tool as the registry holds it and every door describes it.

    Attributes:
        name: may hold dots; doors that cannot take dots list it with underscores.
        description: written for the model that chooses among tools.
        streaming: whether it reports progress or logs while it works.
        examples: argument objects that work.
        scopes: what a caller needs, where callers have scopes; unset, what its annotations call for.
        auth: whose rights its calls to its service have; None where it calls none that knows users.
        result: the model of its structured result; None where it answers with content alone.
        schema: the input schema where it says more than `arguments` can; else it is derived.
        meta: extra `_meta` entries of its listing.
    """

    name: str
    title: str
    description: str
    annotations: Annotations
    arguments: type[ArgumentsT]
    function: Function[ArgumentsT]
    result: type[Result] | None
    schema: JSON | None = None
    streaming: bool = False
    examples: tuple[Mapping[str, Any], ...] = ()
    scopes: frozenset[str] = frozenset()
    auth: Rights | None = None
    meta: Mapping[str, Any] | None = None

    @cached_property
    def input_schema(self) -> JSON:
        """JSON Schema of the arguments, flat at the root."""
        return self.schema or flat_schema(self.arguments, self.examples, nullable=False)

    @cached_property
    def output_schema(self) -> JSON | None:
        """JSON Schema of the structured result; None where there is none."""
        return None if self.result is None else flat_schema(self.result)


def tool(
    *,
    title: str,
    annotations: Annotations,
    examples: Sequence[Mapping[str, Any]] = (),
    name: str | None = None,
    streaming: bool = False,
    scopes: Sequence[str] = (),
    auth: Rights | None = None,
    schema: JSON | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Callable[[Function[ArgumentsT]], Tool[ArgumentsT]]:
    """Make a tool of an async function `(arguments, context) -> answer`.

    The function's docstring is the description, the types of its first parameter and of its return value are the
    schemas.
    """

    def decorate(function: Function[ArgumentsT]) -> Tool[ArgumentsT]:
        arguments, result = _models(function)
        return Tool(
            name=name or function.__name__,
            title=title,
            description=" ".join((function.__doc__ or "").split()),
            annotations=annotations,
            arguments=arguments,
            function=function,
            result=result,
            schema=schema,
            streaming=streaming,
            examples=tuple(examples),
            scopes=frozenset(scopes),
            auth=auth,
            meta=meta,
        )

    return decorate


def _models(function: Function[ArgumentsT]) -> tuple[type[ArgumentsT], type[Result] | None]:
    hints = get_type_hints(function)
    returned = hints.pop("return", None)
    arguments = next(iter(hints.values()))
    structured = isinstance(returned, type) and issubclass(returned, Result)
    return arguments, returned if structured else None
