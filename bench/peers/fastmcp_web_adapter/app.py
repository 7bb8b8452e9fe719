"""FastMCP as an ASGI app, in the mode that its documentation gives for stateless deployments."""

from fastmcp import FastMCP

server = FastMCP("echo")


@server.tool
async def echo(message: str) -> str:
    """Returns the input exactly as provided."""
    return message


app = server.http_app(stateless_http=True, json_response=True)
