"""A compact Markdown table, for people who read a tool's text."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

MOST_ROWS: Final = 60
_LONGEST: Final = 80


def table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The table, in which nothing that came from elsewhere can end a cell; rows beyond `MOST_ROWS` are counted only."""
    lines = [[_cell(value) for value in row] for row in rows]
    shown = [f"|{'|'.join(line)}|" for line in lines[:MOST_ROWS]]
    more = len(lines) - len(shown)
    head = [f"|{'|'.join(titles)}|", f"|{'|'.join('---' for _ in titles)}|"]
    return "\n".join([*head, *shown, *([f"and {more} more rows"] if more else [])])


def amount(value: float | None) -> str:
    """Money with thousands apart, in cents."""
    return "" if value is None else f"{value:,.2f}"


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return " ".join(text.split())[:_LONGEST].replace("\\", "\\\\").replace("|", "\\|")
