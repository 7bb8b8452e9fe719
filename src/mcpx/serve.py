"""`mcpx serve`: the container door on this machine."""

import argparse

from handlers import container
from mcp_app.settings import Settings
from mcpx.address import announce, cannot_listen, joined, variables
from mcpx.first_start import elsewhere, first_start
from mcpx.sandboxed import surroundings


def serve(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C.

    Raises:
        mcpx.errors.CommandError: the address cannot be had.
        mcp_app.settings.SettingsError: the settings cannot be used.
    """
    with surroundings(options, variables(options)) as around:
        settings = Settings.from_environment(around.variables)
        advice = joined(first_start(settings), around.advice or elsewhere(settings))
        try:
            container.run(settings, lambda url: announce(url, advice))
        except OSError as error:
            raise cannot_listen(settings, error) from None
