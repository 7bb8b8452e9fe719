"""JSON as it may travel (RFC 8259): what Python's own decoder takes beyond that would fail on its way out again."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final

DEPTH: Final = 100
"""Levels of nesting that are taken; the SDK's parser and pydantic's serializer give up at about twice as many."""

SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
"""Half of a pair, escaped; alone it cannot be written as UTF-8."""


class TooDeepError(ValueError):
    """More than `DEPTH` levels of nesting."""


def decoded(text: str) -> Any:
    """The value that a JSON text stands for.

    Raises:
        TooDeepError: it is nested too deep.
        ValueError: it is not JSON, or holds NaN, an infinity, half a surrogate pair or an integer too long to convert.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        if SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise TooDeepError("nested too deep") from None
    check_depth(text, value)
    return value


def check_depth(text: str, value: Any) -> None:
    """Let nothing through that would fail where it is written again.

    Args:
        text: JSON.
        value: what it stands for.

    Raises:
        TooDeepError: it is nested too deep.
    """
    if text.count("[") + text.count("{") <= DEPTH:
        return
    level = [value]
    for _ in range(DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
    if any(isinstance(value, dict | list) for value in level):
        raise TooDeepError("nested too deep")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
