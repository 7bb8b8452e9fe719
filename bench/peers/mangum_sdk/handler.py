"""The SDK's high-level server behind Mangum, as a Lambda handler.

Mangum runs an app's lifespan around each invocation, which the SDK's session manager survives once. It is entered once
here, on the loop that Mangum uses: of the known ways around it the one that costs least per call.
"""

import asyncio

from mangum import Mangum
from mangum.protocols import LifespanCycle
from mcp.server import MCPServer

server = MCPServer("echo")


@server.tool()
async def echo(message: str) -> str:
    """Returns the input exactly as provided."""
    return message


# Not a loopback host: else the SDK checks Host headers, which a function URL's would fail.
app = server.streamable_http_app(stateless_http=True, json_response=True, host="0.0.0.0")

asyncio.set_event_loop(asyncio.new_event_loop())
LifespanCycle(app, "on").__enter__()
handler = Mangum(app, lifespan="off")
