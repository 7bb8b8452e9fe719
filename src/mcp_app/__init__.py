"""The app: MCP server, tools and web routes."""

from typing import Final

__version__: Final = "0.1.0"
