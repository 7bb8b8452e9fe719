"""`GET /`: what this server is, as JSON for machines and as a page for people; `POST /` is MCP, like `POST /mcp`."""

from collections.abc import Collection
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_app.address import public_url
from mcp_app.protocol import VERSIONS
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry
from mcp_app.version import VERSION
from mcp_app.web.negotiation import accepts, prefers_html

DESCRIPTION = "Tools for AI assistants, over the Model Context Protocol (streamable HTTP)."

_READ_METHODS = ("GET", "HEAD")


class Front:
    """The ASGI app at `/`.

    Args:
        settings: name and public URL.
        registry: the tools that the page lists.
        mcp: takes what MCP clients send here, `/` being an alias of `/mcp`.
        unlisted: names of routes that clients need not know.
    """

    def __init__(
        self, settings: Settings, registry: Registry, mcp: ASGIApp, unlisted: Collection[str] = frozenset()
    ) -> None:
        self.unlisted = {"front", *unlisted}
        self.settings = settings
        self.registry = registry
        self.mcp = mcp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Raises:
            HTTPException: 405 for methods that neither the page nor MCP has.
        """
        request = Request(scope, receive)
        if scope["method"] == "POST" or _opens_stream(request):
            await self.mcp(scope, receive, send)
        elif scope["method"] in _READ_METHODS:
            await self._describe(request)(scope, receive, send)
        else:
            raise HTTPException(405, headers={"Allow": "GET, HEAD, POST"})

    def _describe(self, request: Request) -> Response:
        headers = {"Cache-Control": "no-cache", "Vary": "Accept"}
        if not prefers_html(request.headers.get("accept", "")):
            return JSONResponse(self._info(request), headers=headers)
        # The page and its modules stay out of a cold start, which is seldom a person's.
        from mcp_app.web.page import render

        body, policy = render(self.settings, self.registry, public_url(self.settings, request.scope))
        return HTMLResponse(body, headers={**headers, "Content-Security-Policy": policy})

    def _info(self, request: Request) -> dict[str, Any]:
        endpoints = {route.name: route.path for route in request.app.routes if route.name not in self.unlisted}
        return {
            "name": self.settings.name,
            "version": VERSION,
            "protocol": VERSIONS[0],
            "protocols": VERSIONS,
            "description": DESCRIPTION,
            "endpoints": endpoints,
            "oauth": self._oauth(request.scope),
            "documentation": self.settings.documentation_url or public_url(self.settings, request.scope),
        }

    def _oauth(self, scope: Scope) -> dict[str, Any]:
        required = {"required": self.settings.auth_mode != "noauth"}
        match self.settings.authority:
            case "provider":
                return {"issuer": self.settings.provider_issuer, **required}
            case "oauth":
                return {"issuer": public_url(self.settings, scope), **required}
        return required


def _opens_stream(request: Request) -> bool:
    """Whether an MCP client asks for a stream; it must hear the 405 that `/mcp` gives, or it reads JSON as events."""
    accept = request.headers.get("accept", "")
    wants_stream = "text/event-stream" in accept and not accepts(accept, "text/html")
    return request.method == "GET" and wants_stream
