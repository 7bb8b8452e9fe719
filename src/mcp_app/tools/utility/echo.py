"""Connectivity check: what went in comes back."""

from pydantic import Field

from mcp_app.tools.context import ToolContext
from mcp_app.tools.tool import Annotations, Arguments, Result, tool


class EchoArguments(Arguments):
    """What to send back."""

    message: str = Field(description="The text to echo back")


class EchoResult(Result):
    """What came in."""

    message: str = Field(description="The message exactly as received")

    def text(self) -> str:
        """The message itself, and nothing around it."""
        return self.message


@tool(
    title="Echo",
    annotations=Annotations(read_only=True, open_world=False),
    examples=[{"message": "Hello, MCP!"}],
)
async def echo(arguments: EchoArguments, _context: ToolContext) -> EchoResult:
    """Returns the input exactly as provided. Use it to check that the connection and the tool chain work."""
    return EchoResult(message=arguments.message)
