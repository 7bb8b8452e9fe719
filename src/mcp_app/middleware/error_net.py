"""Catches what nothing else did, so that no reply shows the inside of the server."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_app.web.errors import error_response

logger = logging.getLogger(__name__)


class ErrorNetMiddleware:
    """Answers an unexpected exception with a plain 500 that carries the request id, and logs the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Raises:
            Exception: the reply had begun; the server below cuts it, which is all that a client can still be told.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watched_send(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except Exception:
            logger.exception("request failed: %s %s", scope["method"], scope["path"])
            if begun:
                raise
            await internal_error(scope, receive, send)


async def internal_error(scope: Scope, receive: Receive, send: Send) -> None:
    """Send the 500."""
    response = error_response(500, "server_error", "The server failed. It has been logged under this request id.")
    await response(scope, receive, send)
