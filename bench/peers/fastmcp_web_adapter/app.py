"""FastMCP as a stateless ASGI app, as it comes: it can stream progress, as this project's server can.

With `FASTMCP_JSON_RESPONSE=true` it answers in JSON alone.
"""

from fastmcp import FastMCP

server = FastMCP("echo")


@server.tool
async def echo(message: str) -> str:
    """Returns the input exactly as provided."""
    return message


app = server.http_app(stateless_http=True)
