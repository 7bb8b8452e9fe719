"""`--sandbox`: a made-up NeonPanel beside the server, for whoever has no account there."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

from mcp_app.provider_settings import PRESETS

_ADVICE: Final = """\
It works with a made-up NeonPanel, where you sign in as one of its people, without a password.
See what it is asked, and break it on purpose, at

    {url}/
"""
_ITS_OWN: Final = ("NEONPANEL_", "PROVIDER_")


class Surroundings(NamedTuple):
    """What the server is started with.

    Attributes:
        variables: the settings by variable.
        advice: what else the person who started it should know.
    """

    variables: dict[str, str]
    advice: str


def add_sandbox(command: argparse.ArgumentParser) -> None:
    """The flag."""
    command.add_argument(
        "--sandbox", action="store_true", help="start a made-up NeonPanel too, and offer its data as tools"
    )


@contextmanager
def surroundings(options: argparse.Namespace, given: Mapping[str, str]) -> Iterator[Surroundings]:
    """The settings that a server is to run with, while the sandbox runs where it was asked for.

    Args:
        options: of the command line.
        given: settings by variable; of those about NeonPanel or another provider, none matters to the sandbox.
    """
    if not options.sandbox:
        yield Surroundings(dict(given), "")
        return
    from sandbox import running

    with running() as sandbox:
        kept = {name: value for name, value in given.items() if not name.startswith(_ITS_OWN)}
        mode = options.auth or PRESETS["neonpanel"]["auth_mode"]
        variables = kept | sandbox.settings() | {"AUTH_MODE": mode}
        yield Surroundings(variables, _ADVICE.format(url=sandbox.url))
