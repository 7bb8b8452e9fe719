"""A compact Markdown table, for people who read a tool's text."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

MOST_ROWS: Final = 60
_LONGEST: Final = 80

_MARKUP: Final = re.compile(r"[\\|\[<`]")
"""What could end a cell, or begin a link, a picture or HTML."""


def table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The table, in which what came from elsewhere is plain text; rows beyond `MOST_ROWS` are counted only."""
    lines = [[plain(value) for value in row] for row in rows]
    shown = [f"|{'|'.join(line)}|" for line in lines[:MOST_ROWS]]
    more = len(lines) - len(shown)
    head = [f"|{'|'.join(titles)}|", f"|{'|'.join('---' for _ in titles)}|"]
    return "\n".join([*head, *shown, *([f"and {more} more rows"] if more else [])])


def amount(value: float | None) -> str:
    """Money with thousands apart, in cents."""
    return "" if value is None else f"{value:,.2f}"


def plain(value: Any) -> str:
    """A value on one line, as nothing but text."""
    text = "" if value is None else _decimal(value) if isinstance(value, float) else str(value)
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split())[:_LONGEST])


def _decimal(value: float) -> str:
    """A number in all its digits, with six decimals at most."""
    return f"{value:f}".rstrip("0").rstrip(".")
