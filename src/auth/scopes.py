"""The scopes of our own authorization server, and what they say to the person who is asked for them."""

from collections.abc import Collection
from typing import Final

READ: Final = "mcp.read"
TOOLS: Final = "mcp.tools"

SCOPES: Final = {
    READ: "See which tools there are, and use those that only read",
    TOOLS: "Use every tool, also those that change data",
    "read:inventory": "See the inventory in NeonPanel: items, their details and balances",
    "read:analytics": "See analytics in NeonPanel",
    "read:companies": "See the companies in NeonPanel",
    "read:reports": "See the reports in NeonPanel",
    "read:warehouses": "See the warehouses in NeonPanel, and what is in them",
    "read:revenue": "See revenue in NeonPanel",
    "read:cogs": "See the cost of goods sold in NeonPanel",
    "read:landed-cost": "See landed cost in NeonPanel",
    "write:import": "Import documents into NeonPanel",
}
"""Each scope and its sentence on the consent page, in the order in which they are shown."""

DEFAULT_SCOPES: Final = (READ, TOOLS)
"""What is offered, and what a client is asked about that names no scope, where tools need no scopes of their own."""

ALL_SCOPES: Final = tuple(SCOPES)
"""The same where they do."""


def allows(granted: Collection[str] | None, needed: Collection[str]) -> bool:
    """Whether what was granted covers what is needed; `mcp.tools` covers `mcp.read`, None covers everything."""
    if granted is None:
        return True
    return all(scope in granted or (scope == READ and TOOLS in granted) for scope in needed)
