"""Everything that can be told of the request that a call came in by."""

from typing import Final

from pydantic import Field

from mcp_app.tools.context import ToolContext
from mcp_app.tools.tool import Annotations, Arguments, Result, tool

_UNUSUAL_CASE: Final = {"dnt": "DNT", "etag": "ETag", "te": "TE", "www-authenticate": "WWW-Authenticate"}


class RequestInfoArguments(Arguments):
    """Nothing."""


class Header(Result):
    """One header line."""

    name: str
    value: str


class RequestInfoResult(Result):
    """The request as the server saw it."""

    headers: tuple[Header, ...] = Field(description="In the order received; secret values read [hidden]")
    method: str
    path: str
    scheme: str
    protocol: str = Field(description="HTTP version, such as HTTP/1.1")
    source_ip: str | None = Field(description="Apparent address of the client")
    source: str | None = Field(description="x-forwarded-for, x-real-ip or connection")
    behind_proxy: bool
    forwarded_for: tuple[str, ...] = Field(description="Addresses in X-Forwarded-For, the client first")
    connection: str | None = Field(description="Peer of the connection: the nearest proxy, if there is one")
    user_agent: str | None

    def text(self) -> str:
        """Headers and connection, one item a line."""
        headers = "\n".join(f"  {_title(header.name)}: {header.value}" for header in self.headers)
        return (
            f"Request Information:\n\nHeaders:\n{headers or '  (none)'}\n\nConnection:\n"
            f"  Source IP: {self.source_ip or 'unknown'}\n  Protocol: {self.protocol}\n"
            f"  Method: {self.method}\n  Path: {self.path}"
        )


@tool(
    title="Request information",
    annotations=Annotations(read_only=True, open_world=False),
    examples=[{}],
)
async def get_request_info(_arguments: RequestInfoArguments, context: ToolContext) -> RequestInfoResult:
    """Returns what the server knows of this HTTP request: headers, method, path, source IP, user agent, protocol.

    Use it to debug a connection or a proxy. Credentials and other secrets in headers are hidden.
    """
    from mcp_app.tools.client_address import client_address
    from mcp_app.tools.display import printable, shown_header, shown_url

    request, address = context.request, client_address(context.request)
    headers = tuple(Header(name=name, value=value) for name, value in (shown_header(*item) for item in request.headers))
    return RequestInfoResult(
        headers=headers,
        method=printable(request.method),
        path=shown_url(request.path),
        scheme=request.scheme,
        protocol=f"HTTP/{request.http_version}",
        source_ip=address.ip,
        source=address.source,
        behind_proxy=address.behind_proxy,
        forwarded_for=address.forwarded_for,
        connection=address.connection,
        user_agent=next((header.value for header in headers if header.name.lower() == "user-agent"), None),
    )


def _title(name: str) -> str:
    """The name as people write it, where the door had to lower-case it."""
    return _UNUSUAL_CASE.get(name) or ("-".join(map(str.capitalize, name.split("-"))) if name.islower() else name)
