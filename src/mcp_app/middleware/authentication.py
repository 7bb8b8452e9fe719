"""Lets nobody through to MCP of whom it is not known who they are."""

import logging

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.errors import OAuthError
from auth.principal import VISITOR, Principal
from auth.verify.authenticator import Authenticator, RefusedError
from mcp_app.challenge import SCOPE_KEY, UNAUTHORIZED, Challenge, Challenges
from mcp_app.web.errors import error_response
from store.protocol import StoreUnavailableError

logger = logging.getLogger(__name__)

SIGNED_REQUESTS = 'AWS4-HMAC-SHA256 realm="mcp"'
"""The challenge where there is no authorization server: callers sign their requests."""


class AuthenticationMiddleware:
    """Sets `scope["principal"]` to what the authenticator establishes, or `scope["refused"]` to why nobody is let in.

    It stands directly around the MCP transport, not around a path, so no spelling of a path leads past it. Methods
    other than POST pass: the transport serves none of them.

    Args:
        app: the transport.
        challenges: what tells clients how to get in; None where there is no authorization server.
        public_discovery: whether a request without a token goes on as `VISITOR`, which the transport lets list only.
    """

    def __init__(
        self,
        app: ASGIApp,
        authenticator: Authenticator,
        *,
        challenges: Challenges | None = None,
        public_discovery: bool = False,
    ) -> None:
        self.app = app
        self.authenticator = authenticator
        self.challenges = challenges
        self.public_discovery = public_discovery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request for its principal."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        challenge = None
        if self.challenges is not None:
            challenge = scope[SCOPE_KEY] = self.challenges.of(scope)
        try:
            scope["principal"] = await self._principal(scope)
        except RefusedError as refusal:
            scope["refused"] = refusal.description
            await _refused(refusal, challenge)(scope, receive, send)
        except (OAuthError, StoreUnavailableError) as failure:
            logger.warning("who calls cannot be told: %s", failure)
            await _unavailable(failure)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _principal(self, scope: Scope) -> Principal:
        try:
            return await self.authenticator.authenticate(scope)
        except RefusedError as refusal:
            if self.public_discovery and refusal.error is None:
                return VISITOR
            raise


def _refused(refusal: RefusedError, challenge: Challenge | None) -> Response:
    header = SIGNED_REQUESTS
    if challenge is not None:
        header = challenge.header(refusal.error, refusal.description, refusal.scopes or None)
    return error_response(
        refusal.status, refusal.error or UNAUTHORIZED, refusal.description, {"WWW-Authenticate": header}
    )


def _unavailable(failure: OAuthError | StoreUnavailableError) -> Response:
    description = "Whether the token is good cannot be told now. Try again."
    return error_response(503, "temporarily_unavailable", description, {"Retry-After": str(failure.retry_after or 2)})
