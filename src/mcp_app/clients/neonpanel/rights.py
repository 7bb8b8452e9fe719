"""Whose rights a call has: the user's own, or this server's."""

from collections.abc import Callable
from typing import NamedTuple

from auth.principal import Principal, ProviderToken
from mcp_app.clients.errors import NotConfiguredError
from mcp_app.clients.http import Http
from mcp_app.clients.neonpanel.endpoints import Endpoint
from mcp_app.clients.neonpanel.errors import SERVICE, MissingRightError, NoUserError
from mcp_app.clients.neonpanel.service_token import ServiceClient, ServiceToken, Token
from mcp_app.clients.neonpanel.user_jwt import UserRights, UserTokens
from mcp_app.deadline import Deadline
from mcp_app.rights import Rights
from mcp_app.settings import Settings


class Caller(NamedTuple):
    """Who calls a tool, whose rights the tool's calls are to have, and when they must have ended."""

    principal: Principal
    rights: Rights
    deadline: Deadline


class Bearer(NamedTuple):
    """A token to call with.

    Attributes:
        users: whether NeonPanel sees the user in it, and not this server.
        kept: what it is kept as; None where nothing is.
    """

    token: str
    users: bool
    kept: Token | UserRights | None = None


class Tokens:
    """Finds the token for a call.

    Args:
        clock: epoch seconds.
    """

    def __init__(self, http: Http, settings: Settings, client: ServiceClient, clock: Callable[[], float]) -> None:
        self._passthrough = settings.neonpanel_token_passthrough
        self._fallback = settings.neonpanel_hybrid_fallback
        self._elevated = settings.neonpanel_elevated_scope
        self._service = ServiceToken(http, settings, client, clock)
        self._users = UserTokens(http, settings, client, clock)

    async def bearer(self, caller: Caller, endpoint: Endpoint) -> Bearer:
        """The token for one call.

        Raises:
            NoUserError: it needs a user's rights, and the caller did not sign in at NeonPanel.
            MissingRightError: the user may not do it.
            UpstreamError: the token cannot be had.
        """
        if caller.rights == "service" or (caller.rights == "hybrid" and self._without_user(caller.principal)):
            return await self._of_service(caller.deadline)
        token = caller.principal.token
        if token is None:
            raise NoUserError(SERVICE)
        if endpoint.elevated and self._elevated not in token.scopes:
            raise MissingRightError(self._elevated, scope=True)
        return await self._of_user(caller, token, endpoint)

    def drop(self, caller: Caller, bearer: Bearer) -> None:
        """Keep a token no longer, since NeonPanel refused it."""
        if isinstance(bearer.kept, Token):
            self._service.drop(bearer.kept)
        elif bearer.kept is not None and caller.principal.token is not None:
            self._users.drop(caller.principal, caller.principal.token, bearer.kept)

    async def service(self, deadline: Deadline) -> None:
        """See to it that there is a service token.

        Raises:
            UpstreamError: there is none to be had.
        """
        await self._service.get(deadline)

    def _without_user(self, principal: Principal) -> bool:
        """Whether a hybrid call goes without the user: none came in, not that NeonPanel fails to tell their rights."""
        available = self._users.configured or self._passthrough
        return self._fallback and (principal.token is None or not available)

    async def _of_service(self, deadline: Deadline) -> Bearer:
        token = await self._service.get(deadline)
        return Bearer(token.value, users=False, kept=token)

    async def _of_user(self, caller: Caller, token: ProviderToken, endpoint: Endpoint) -> Bearer:
        if not self._users.configured:
            if self._passthrough:
                return Bearer(token.value, users=True)
            raise NotConfiguredError(
                f"{SERVICE} with a user's own rights", "NEONPANEL_USER_JWT_URL", "NEONPANEL_TOKEN_INTROSPECT_URL"
            )
        rights = await self._users.get(caller.principal, token, caller.deadline)
        if rights.jwt is not None:
            return Bearer(rights.jwt, users=True, kept=rights)
        if endpoint.permission not in rights.permissions:
            raise MissingRightError(endpoint.permission, scope=False)
        return await self._of_service(caller.deadline)
