"""The page in which a host shows revenue and COGS as bars (MCP Apps, SEP-1865, and OpenAI's older Apps SDK)."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from mcp_app.tools.resource import APP_MIME_TYPE, Resource

URI: Final = "ui://neonpanel/revenue-and-cogs.html"

META: Final[dict[str, Any]] = {"ui": {"resourceUri": URI}, "openai/outputTemplate": URI}
"""What ties a tool to the page; its result is `structuredContent` as `getRevenueAndCogs` gives it."""

# The page is all there is to it: what it draws comes from its host, and nothing from anywhere else.
_NOTHING_FROM_OUTSIDE: Final[dict[str, list[str]]] = {
    "connectDomains": [],
    "resourceDomains": [],
    "frameDomains": [],
    "baseUriDomains": [],
}


@cache
def _page() -> str:
    return Path(__file__).with_suffix(".html").read_text("utf-8")


async def _read() -> str:
    return _page()


CHART: Final = Resource(
    uri=URI,
    name="revenue_chart",
    title="Revenue and COGS",
    description="A chart of revenue, cost of goods sold and margin, for the result of getRevenueAndCogs.",
    mime_type=APP_MIME_TYPE,
    read=_read,
    constant=True,
    meta={"ui": {"csp": _NOTHING_FROM_OUTSIDE, "prefersBorder": True}},
)
