"""What commands print: tables for people, JSON for scripts."""

import argparse
import json
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

_EMPTY = "-"


def add_json(command: argparse.ArgumentParser) -> None:
    """The flag that asks for JSON."""
    command.add_argument("--json", action="store_true", help="print JSON, for scripts")


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str, aside: Collection[str] = ()) -> None:
    """Print records.

    Args:
        rows: each with the same members, in the order of the columns.
        as_json: an array of objects, instead of a table.
        nothing: what to tell a person where there are none.
        aside: members that only JSON has room for.
    """
    if as_json:
        print(json.dumps(list(rows), indent=2))
    elif rows:
        print(_table([{name: value for name, value in row.items() if name not in aside} for row in rows]))
    else:
        print(nothing)


def told(record: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print what was done: the record that it left as JSON, or a sentence."""
    print(json.dumps(record, indent=2) if as_json else _plain(sentence))


def moment(epoch_seconds: int | None) -> str | None:
    """A time as ISO 8601 in UTC, to the second."""
    return None if epoch_seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch_seconds))


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    titles = [name.replace("_", " ").upper() for name in rows[0]]
    lines = [titles, *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return _plain(" ".join(map(str, value))) or _EMPTY
    return _EMPTY if value is None else _plain(str(value))


def _plain(text: str) -> str:
    """The text without what would steer a terminal."""
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)
