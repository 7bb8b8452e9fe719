"""Which web pages may talk to the server (MCP, Streamable HTTP, "Security warning"), and CORS for those that may."""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.loopback import is_loopback
from auth.server.routes import PLACES
from mcp_app.address import on_loopback, public_url
from mcp_app.middleware.reply import with_headers
from mcp_app.settings import Settings
from mcp_app.variable import origin
from mcp_app.web.errors import error_response

logger = logging.getLogger(__name__)

PREFLIGHT_PATHS: Final = frozenset({"/", "/mcp", "/messages", "/sse"})
PREFLIGHT_PREFIXES: Final = ("/oauth/", "/.well-known/")

# A client should see the 405 of a method that is not served; a failed preflight looks like a broken network.
_METHODS: Final = "GET, HEAD, POST, DELETE, OPTIONS"
_REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Accept",
    "Last-Event-ID",
    "Mcp-Method",
    "Mcp-Name",
    "MCP-Protocol-Version",
    "Mcp-Session-Id",
    "X-Request-Id",
)
# A function URL renames the challenge on its way out.
_EXPOSED: Final = ", ".join(
    (
        "WWW-Authenticate",
        "x-amzn-Remapped-WWW-Authenticate",
        "Retry-After",
        "Mcp-Session-Id",
        "MCP-Protocol-Version",
        "X-Request-Id",
    )
)
_PARAMETER_HEADER = re.compile(r"mcp-param-[a-z0-9_-]{1,64}")
_MAX_AGE_SECONDS: Final = "7200"
_PAGES: Final = frozenset(place.path for place in PLACES if place.page)
_HIDDEN: Final = "null"
"""The Origin of a form on a page whose referrer policy is `no-referrer`, as the pages' is (Fetch, "Append a request
Origin header"). Anybody's page can have that, so the pages themselves see whose form it was."""
_LOGGED: Final = 200
"""Characters of what a client sent that go into the log."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")


class OriginMiddleware:
    """Refuses a foreign Origin with 403, a foreign Host too while on loopback, and answers CORS preflights."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.loopback = on_loopback(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asking = headers.get("origin")
        if (refusal := self._refusal(scope, headers, asking)) is not None:
            await refusal(scope, receive, send)
        elif is_page(scope["path"]):
            await self.app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and is_shared(scope["path"]):
            allowed = asking or public_url(self.settings, scope)
            await _preflight(headers, allowed)(scope, receive, send)
        else:
            await self.app(scope, receive, _sharing(send, asking))

    def _refusal(self, scope: Scope, headers: Headers, asking: str | None) -> Response | None:
        # The check is what stops DNS rebinding; behind an edge or a load balancer Host is just another name.
        if self.loopback and not _is_local(host := headers.get("host", "")):
            logger.warning("host refused; PUBLIC_URL may name it", extra={"host": host[:_LOGGED]})
            return error_response(403, "host_not_allowed", "This server answers to names of this machine only.")
        if asking is not None and not self._allows(scope, asking):
            logger.warning("origin refused; ALLOWED_ORIGINS may name it", extra={"origin": asking[:_LOGGED]})
            return error_response(403, "origin_not_allowed", "Web pages of this origin may not use this server.")
        return None

    def _allows(self, scope: Mapping[str, Any], asking: str) -> bool:
        if asking == _HIDDEN and is_page(scope["path"]):
            return True
        if asking in self.settings.allowed_origins or asking == public_url(self.settings, scope):
            return True
        return self.loopback and _is_origin(asking) and is_loopback(asking)


def is_page(path: str) -> bool:
    """Whether this path is for people: no script of any origin reads it, the server's own included."""
    return path in _PAGES


def is_shared(path: str) -> bool:
    """Whether clients in browsers use this path, so that preflights for it are answered."""
    return path in PREFLIGHT_PATHS or path.startswith(PREFLIGHT_PREFIXES)


def _preflight(headers: Headers, allowed: str | None) -> Response:
    requested = headers.get("access-control-request-headers", "").lower().replace(" ", "").split(",")
    parameters = [name for name in requested if _PARAMETER_HEADER.fullmatch(name)]
    reply = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": ", ".join((*_REQUEST_HEADERS, *parameters)),
        "Access-Control-Max-Age": _MAX_AGE_SECONDS,
        "Vary": "Origin, Access-Control-Request-Headers",
    }
    if allowed is not None:
        reply["Access-Control-Allow-Origin"] = allowed
    return Response(status_code=204, headers=reply)


def _sharing(send: Send, asking: str | None) -> Send:
    def share(headers: MutableHeaders) -> None:
        headers.add_vary_header("Origin")
        if asking is not None:
            headers["Access-Control-Allow-Origin"] = asking
            headers["Access-Control-Expose-Headers"] = _EXPOSED

    return with_headers(send, share)


def _is_local(host: str) -> bool:
    return _HOST.fullmatch(host) is not None and is_loopback(f"http://{host}")


def _is_origin(value: str) -> bool:
    try:
        return origin(value) == value
    except ValueError:
        return False
