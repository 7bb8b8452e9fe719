"""The command line's reference has every command and every flag, and nothing else."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcpx.cli import parser

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference/command-line.md").read_text()


def commands(
    root: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that does something, by its words."""
    groups = [action for action in root._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield " ".join(("mcpx", *words)), root
    for group in groups:
        for name, below in group.choices.items():
            yield from commands(below, (*words, name))


COMMANDS = dict(commands(parser()))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference_with_every_flag(command):
    assert re.search(rf"(## |`){command}\b", REFERENCE)
    for action in COMMANDS[command]._actions:
        for flag in set(action.option_strings) - {"-h", "--help"}:
            assert re.search(rf"`{flag}\b", REFERENCE), flag


def test_the_documentation_names_no_command_and_no_flag_that_is_not_there():
    flags = {flag for command in COMMANDS.values() for action in command._actions for flag in action.option_strings}
    said = REFERENCE + (DOCS / "how-to/manage-users.md").read_text()
    named = set(re.findall(r"mcpx ((?:users|clients|grants|keys) [a-z]+|serve|lambda|token|doctor)\b", said))
    assert {f"mcpx {words}" for words in named} == set(COMMANDS)
    assert set(re.findall(r"`(--[a-z-]+)", REFERENCE)) <= flags


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command):
    assert COMMANDS[command].format_help()
    assert all(action.help for action in COMMANDS[command]._actions if action.option_strings)


@pytest.mark.parametrize("command", COMMANDS)
def test_must_10_no_command_takes_a_password_or_secret_as_an_argument(command):
    for action in COMMANDS[command]._actions:
        secret = "password" in action.dest or "secret" in action.dest
        assert not secret or action.nargs == 0
