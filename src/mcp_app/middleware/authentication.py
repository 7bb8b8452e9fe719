"""Says who is calling, for everything further in."""

from starlette.types import ASGIApp, Receive, Scope, Send

from auth.verify.authenticator import Authenticator


class AuthenticationMiddleware:
    """Sets `scope["principal"]` to what the authenticator establishes."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self.app = app
        self.authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request for its principal."""
        if scope["type"] == "http":
            scope["principal"] = await self.authenticator.authenticate(scope)
        await self.app(scope, receive, send)
