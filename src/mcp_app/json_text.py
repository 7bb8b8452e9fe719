"""JSON as it may travel (RFC 8259): what Python's own decoder takes beyond that would fail on its way out again."""

import json
import re
from typing import Any

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def decoded(text: str) -> Any:
    """The value that a JSON text stands for.

    Raises:
        ValueError: it is not JSON, is nested too deep, or holds NaN, an infinity, half a surrogate pair or an integer
            too long to convert.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
