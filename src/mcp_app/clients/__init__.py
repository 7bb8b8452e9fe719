"""Outbound HTTP: one module per service that the tools call."""

from functools import cached_property
from typing import TYPE_CHECKING

from mcp_app.secrets import Secrets
from mcp_app.settings import Settings

if TYPE_CHECKING:
    from mcp_app.clients.documents import Documents
    from mcp_app.clients.http import Http
    from mcp_app.clients.neonpanel.api import NeonPanel
    from mcp_app.clients.openai import OpenAI
    from mcp_app.clients.weather import Weather


class Clients:
    """The services that tools call, each imported and made when a tool first needs it; they share one pool."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets

    @cached_property
    def openai(self) -> "OpenAI":
        """Web search by OpenAI."""
        from mcp_app.clients.openai import OpenAI

        return OpenAI(self._http, self._settings, self._secrets)

    @cached_property
    def weather(self) -> "Weather":
        """Current weather."""
        from mcp_app.clients.weather import Weather

        return Weather(self._http, self._settings, self._secrets)

    @cached_property
    def neonpanel(self) -> "NeonPanel":
        """NeonPanel's API."""
        from mcp_app.clients.neonpanel.api import NeonPanel

        return NeonPanel(self._http, self._settings, self._secrets)

    @cached_property
    def documents(self) -> "Documents":
        """Documents of authorization servers."""
        from mcp_app.clients.documents import Documents

        return Documents(self._http)

    async def aclose(self) -> None:
        """Close the connections."""
        if "_http" in self.__dict__:
            await self._http.aclose()

    @cached_property
    def _http(self) -> "Http":
        from mcp_app.clients.http import Http

        contact = self._settings.public_url
        return Http(f"mcpx ({contact})" if contact else "mcpx")
