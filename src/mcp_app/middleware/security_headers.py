"""Headers that tell browsers what no reply of this server may be used for."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.loopback import is_loopback
from mcp_app.address import public_url
from mcp_app.middleware.reply import with_headers
from mcp_app.settings import Settings

HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    # A page sets a policy of its own; nothing else is for rendering.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
HSTS: Final = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeadersMiddleware:
    """Adds the headers that a reply does not set itself; HSTS where clients come by https."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        url = public_url(self.settings, scope) or ""
        secure = url.startswith("https://") and not is_loopback(url)

        wanted = (*HEADERS, HSTS) if secure else HEADERS

        def protect(headers: MutableHeaders) -> None:
            present = {name for name, _ in headers.raw}
            headers.raw.extend(pair for pair in wanted if pair[0] not in present)

        await self.app(scope, receive, with_headers(send, protect))
