"""Which tools a server offers, by its settings."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mcp_app.neonpanel_settings import EVERY_TOOL
from mcp_app.settings import Settings, SettingsError
from mcp_app.tools import utility
from mcp_app.tools.registry import Registry, discover
from mcp_app.tools.tool import Tool

_PREFIX = "neonpanel."


def catalogue(settings: Settings) -> Registry:
    """The utility tools, and NeonPanel's where they are on.

    Raises:
        SettingsError: a setting names a tool that there is not.
    """
    tools = list(discover(utility))
    if not settings.neonpanel_tools:
        return Registry(tools)
    # Their models take a while to make.
    from mcp_app.tools import neonpanel
    from mcp_app.tools.neonpanel.revenue_chart import CHART

    tools += _neonpanel(list(discover(neonpanel)), settings)
    return Registry(tools, resources=[CHART], instructions=neonpanel.INSTRUCTIONS)


def _neonpanel(tools: list[Tool[Any]], settings: Settings) -> Iterator[Tool[Any]]:
    """The tools with the scopes and the rights that the settings give them."""
    chosen, names = settings.neonpanel_tool_auth, {tool.name.removeprefix(_PREFIX) for tool in tools}
    if unknown := chosen.keys() - names - {EVERY_TOOL}:
        raise SettingsError(f"NEONPANEL_TOOL_AUTH names {min(unknown)}, and there is no such tool")
    for tool in tools:
        auth = chosen.get(tool.name.removeprefix(_PREFIX), chosen.get(EVERY_TOOL, tool.auth))
        yield replace(tool, auth=auth, scopes=tool.scopes if settings.tool_scopes else frozenset())
