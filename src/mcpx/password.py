"""Passwords on the command line: typed twice without an echo, or read from standard input; never an argument."""

import argparse
import sys

from mcpx.errors import CommandError

_MOST = 64 * 1024


def add_password(command: argparse.ArgumentParser) -> None:
    """The flag that says where the password comes from."""
    command.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input, as is done anyway where that is no terminal",
    )


def new_password(options: argparse.Namespace) -> str:
    """The password that the person wants.

    Raises:
        CommandError: there is none, or the two differ.
    """
    if options.password_stdin or not sys.stdin.isatty():
        return _piped()
    from getpass import getpass

    try:
        first = getpass("New password: ")
        second = getpass("The same again: ")
    except EOFError:
        raise CommandError("no password was typed.") from None
    if first != second:
        raise CommandError("the two passwords differ; nothing was changed.")
    return first


def _piped() -> str:
    """The first line of standard input."""
    data = sys.stdin.buffer.readline(_MOST)
    try:
        password = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CommandError("standard input is not UTF-8.") from None
    if not password:
        raise CommandError("there is no password on standard input.")
    return password
