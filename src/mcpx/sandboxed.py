"""`--sandbox`: a made-up NeonPanel beside the server, for whoever has no account there."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

from mcp_app.provider_settings import PRESETS

_SIGN_IN: Final = """\
It works with a made-up NeonPanel, where you sign in as one of its people, without a password.
"""
_NO_SIGN_IN: Final = """\
It works with a made-up NeonPanel, where nobody signs in this way: tools that need a user's rights there are refused.
"""
_CONTROL: Final = """\
See what it is asked, and break it on purpose, at

    {url}/
"""
_ANOTHERS: Final = ("PROVIDER_AUDIENCE", "PROVIDER_ALGORITHMS", "PROVIDER_METADATA_URL", "NEONPANEL_SECRET_ARN")
"""Settings that fit another NeonPanel alone; the sandbox's own replace the rest."""


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
        given: settings by variable; what says where another NeonPanel is, and how its tokens are, does not count.
    """
    if not options.sandbox:
        yield Surroundings(dict(given), "")
        return
    from sandbox import running

    with running() as sandbox:
        kept = {name: value for name, value in given.items() if name not in _ANOTHERS}
        mode = options.auth or PRESETS["neonpanel"]["auth_mode"]
        advice = (_SIGN_IN if mode == "provider" else _NO_SIGN_IN) + _CONTROL.format(url=sandbox.url)
        yield Surroundings(kept | sandbox.settings() | {"AUTH_MODE": mode}, advice)
