"""From what a client sent to a tool's typed arguments, leniently where clients are known to err."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from mcp_app.json_text import DEPTH, TooDeepError, decoded
from mcp_app.tools.tool import Arguments, ArgumentsT, InvalidArgumentsError

_WRAPPERS = ("params", "arguments")
_MOST = 10
"""Faults that are told; a caller can make any number of them."""
_SUBJECT = re.compile(r"^[A-Z]\w* should ")
"""How pydantic begins a sentence: with the kind of value."""
_ASIDE = re.compile(r" after validation, not \d+$")
"""How pydantic ends a sentence about a length."""
_LONGEST = 100
"""Characters of a field's name that are told."""


def parse_arguments(model: type[ArgumentsT], raw: Any) -> ArgumentsT:
    """The arguments as the model, after unwrapping what clients are known to wrap.

    Raises:
        InvalidArgumentsError: with a short sentence per field.
    """
    arguments = unwrap(raw, frozenset(_names(model)))
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        raise InvalidArgumentsError(_sentences(error, model)) from None


def _names(model: type[Arguments]) -> list[str]:
    """The names of the arguments as a caller knows them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def unwrap(raw: Any, fields: frozenset[str]) -> Mapping[str, Any]:
    """An object out of nothing, an object, a JSON string, or one of them wrapped once in `params` or `arguments`.

    A wrapper's name that is also a field of the tool is taken as the field.

    Raises:
        InvalidArgumentsError: there is no object in it.
    """
    arguments = _object(raw)
    if len(arguments) == 1:
        (key,) = arguments
        if key in _WRAPPERS and key not in fields:
            return _object(arguments[key])
    return arguments


def _object(raw: Any) -> Mapping[str, Any]:
    if raw is None:
        return {}
    if isinstance(raw, str):
        raw = _decode(raw)
    if not isinstance(raw, Mapping):
        raise InvalidArgumentsError("The arguments must be a JSON object.")
    return raw


def _decode(text: str) -> Any:
    try:
        return decoded(text) if text.strip() else {}
    except TooDeepError:
        raise InvalidArgumentsError(f"The arguments are nested more than {DEPTH} levels deep.") from None
    except ValueError:
        raise InvalidArgumentsError("The arguments must be a JSON object; this text is not JSON.") from None


def _sentences(error: ValidationError, model: type[ArgumentsT]) -> str:
    allowed = ", ".join(_names(model)) or "no arguments at all"
    found = error.errors(include_url=False, include_input=False)
    return " ".join(_sentence(item, allowed) for item in found[:_MOST])


def _sentence(item: Any, allowed: str) -> str:
    from mcp_app.tools.display import printable

    # The names of unknown fields are the caller's, and may be anything.
    named = printable(".".join(str(part) for part in item["loc"])[:_LONGEST])
    field = named or "arguments"
    match item["type"]:
        case "missing":
            return f"{field} is required."
        case "extra_forbidden":
            return f"{field} is not known here; allowed: {allowed}."
        case "value_error":
            # What is wrong with several fields together names them itself.
            return f"{named}: {item['ctx']['error']}." if named else f"{item['ctx']['error']}."
        case _:
            return f"{field} should {_ASIDE.sub('', _SUBJECT.sub('', item['msg']))}."
