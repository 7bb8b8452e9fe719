"""Where the call appears to come from."""

from typing import Literal

from pydantic import Field

from mcp_app.tools.context import ToolContext
from mcp_app.tools.tool import Annotations, Arguments, Result, tool


class SourceIpArguments(Arguments):
    """Nothing."""


class SourceIpResult(Result):
    """The apparent source of the request."""

    ip: str | None = Field(description="IPv4 or IPv6 address; null if unknown")
    version: Literal[4, 6] | None = Field(description="IP version")
    behind_proxy: bool = Field(description="Whether headers show that a proxy passed the request on")
    source: str | None = Field(description="What the address was taken from: x-forwarded-for, x-real-ip or connection")

    def text(self) -> str:
        """One line with the address."""
        return f"Your source IP address: {self.ip or 'unknown'}"


@tool(
    title="Source IP",
    annotations=Annotations(read_only=True, open_world=False),
    examples=[{}],
)
async def get_source_ip(_arguments: SourceIpArguments, context: ToolContext) -> SourceIpResult:
    """Returns the IP address from which this request appears to originate, and whether it came through a proxy.

    It is the address of the calling client's network, taken from headers that a client can forge.
    """
    from mcp_app.tools.client_address import client_address

    found = client_address(context.request)
    return SourceIpResult(ip=found.ip, version=found.version, behind_proxy=found.behind_proxy, source=found.source)
