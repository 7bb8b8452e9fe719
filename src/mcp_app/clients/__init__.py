"""Outbound HTTP: one module per service that the tools call."""

from mcp_app.secrets import Secrets
from mcp_app.settings import Settings


class Clients:
    """The services that tools call, each made when a tool first needs it; they share one pool of connections."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets

    async def aclose(self) -> None:
        """Close the connections."""
