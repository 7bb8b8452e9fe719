"""What `serve` and `lambda` share: settings from the command line, and what they tell the person who typed it."""

import argparse

from mcp_app.settings import Settings
from mcpx.errors import CommandError

_FLAGS = {"host": "MCP_SERVER_HOST", "port": "MCP_SERVER_PORT", "auth": "AUTH_MODE"}
_DEFAULTS = {"LOG_FORMAT": "text"}


def variables(options: argparse.Namespace) -> dict[str, str]:
    """The settings by variable: the command line's, else the environment's, else what suits a terminal."""
    flags = {_FLAGS[name]: str(value) for name, value in vars(options).items() if name in _FLAGS and value is not None}
    return _DEFAULTS | Settings.variables() | flags


def announce(url: str, advice: str = "") -> None:
    """Say where the server is, what to do with that, and what else there is to know."""
    more = f"{advice}\n" if advice else ""
    print(f"mcpx is ready. Give this URL to an MCP client:\n\n    {url}/mcp\n\n{more}Ctrl-C stops it.", flush=True)


def joined(*advice: str) -> str:
    """Several paragraphs of advice, those left out that say nothing."""
    return "\n".join(text for text in advice if text)


def cannot_listen(settings: Settings, error: OSError) -> CommandError:
    """The error that says that an address cannot be had."""
    # Python adds the address to the reason.
    reason = (error.strerror or str(error)).partition(" (while ")[0].lower()
    return CommandError(f"cannot listen on {settings.host}:{settings.port}: {reason}. `--port 0` picks a free port.")
