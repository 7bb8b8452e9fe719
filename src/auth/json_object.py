"""JSON objects from strangers, read strictly."""

import json
from typing import Any


def decoded(body: bytes) -> dict[str, Any]:
    """The object that a JSON text in UTF-8 stands for (RFC 8259).

    Raises:
        ValueError: it is none, names a member twice, is nested too deep, or holds NaN, an infinity, a number too large
            or half a surrogate pair.
    """
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 - one kind of error for whatever is wrong
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _refuse(name: str) -> Any:
    raise ValueError(name)
