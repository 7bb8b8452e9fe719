"""What `serve` and `lambda` share: settings from the command line, and what they tell the person who typed it."""

import argparse

from mcp_app.settings import Settings
from mcpx.cli import CommandError

_OVERRIDES = {"host": "MCP_SERVER_HOST", "port": "MCP_SERVER_PORT", "auth": "AUTH_MODE"}


def settings_from(options: argparse.Namespace) -> Settings:
    """The environment's settings with the command line's on top.

    Raises:
        mcp_app.settings.SettingsError: a value cannot be used.
    """
    return Settings.from_environment(overrides=overrides(options))


def overrides(options: argparse.Namespace) -> dict[str, str]:
    """The settings that the command line gives, by variable."""
    given = {_OVERRIDES[name]: value for name, value in vars(options).items() if name in _OVERRIDES}
    return {name: str(value) for name, value in given.items() if value is not None}


def announce(url: str) -> None:
    """Say where the server is, and what to do with that."""
    print(f"mcpx is ready. Give this URL to an MCP client:\n\n    {url}/mcp\n\nCtrl-C stops it.", flush=True)


def cannot_listen(settings: Settings, error: OSError) -> CommandError:
    """The error that says that an address cannot be had."""
    reason = (error.strerror or str(error)).lower()
    return CommandError(f"cannot listen on {settings.host}:{settings.port}: {reason}. `--port 0` picks a free port.")
