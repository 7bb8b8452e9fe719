"""The user's own rights at NeonPanel, for the access token that the user came in with."""

import base64
import logging
from collections.abc import Callable, Hashable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus

from auth.principal import Principal, ProviderToken
from mcp_app.clients.cache import Cache
from mcp_app.clients.errors import DeniedError, OddAnswerError, RejectedKeyError, SignInAgainError, UpstreamError
from mcp_app.clients.http import Call, Http, decoded, in_time
from mcp_app.clients.neonpanel.errors import SERVICE
from mcp_app.clients.neonpanel.expiry import EARLY, expiry, number
from mcp_app.clients.neonpanel.service_token import ServiceClient, sendable
from mcp_app.clients.retry import passing_fault
from mcp_app.deadline import Deadline
from mcp_app.settings import Settings

logger = logging.getLogger(__name__)

REMEMBERED: Final = 1000
"""Users whose rights are kept."""

PERMISSIONS_SECONDS: Final = 300.0
"""For which permissions are kept that are enforced here: NeonPanel does not see whom it would refuse by now."""

SECONDS: Final = 5.0
"""For one exchange, and for one introspection."""


class UserRights(NamedTuple):
    """What a user may do at NeonPanel.

    Attributes:
        jwt: to call NeonPanel with.
        permissions: where there is no JWT: what the server must enforce itself.
        until: epoch seconds.
    """

    jwt: str | None
    permissions: frozenset[str]
    until: float


class _RefusedError(SignInAgainError):
    """NeonPanel does not take this access token; of another of the same user's that says nothing."""

    def __init__(self, token: str) -> None:
        super().__init__(SERVICE)
        self.token = token


class UserTokens:
    """Exchanges access tokens for users' rights; one exchange at a time for each user, scopes and tenant.

    Args:
        clock: epoch seconds; a frozen sandbox that wakes up must find a token too old.
    """

    def __init__(self, http: Http, settings: Settings, client: ServiceClient, clock: Callable[[], float]) -> None:
        self._http = http
        self._user_jwt_url = settings.neonpanel_user_jwt_url
        self._introspect_url = settings.neonpanel_introspect_url
        self._client = client
        self._clock = clock
        self._kept: Cache[UserRights] = Cache(lambda rights: rights.until - EARLY - clock(), REMEMBERED, clock)

    @property
    def configured(self) -> bool:
        """Whether there is anywhere to ask."""
        return self._user_jwt_url is not None or self._introspect_url is not None

    async def get(self, principal: Principal, token: ProviderToken, deadline: Deadline) -> UserRights:
        """The user's rights now.

        An exchange has a time of its own: those who share it do not share the deadline of the first of them.

        Raises:
            SignInAgainError: NeonPanel does not take the access token.
            UpstreamError: there are none to be had.
        """
        # Where the exchange hangs, the introspection must still have its turn.
        seconds = SECONDS if self._introspect_url is None else min(SECONDS, deadline.remaining() / 2)
        async with in_time(SERVICE, deadline):
            while True:
                try:
                    return await self._kept.get(_key(principal, token), lambda: self._exchanged(token.value, seconds))
                except _RefusedError as error:
                    if error.token == token.value:
                        raise

    def drop(self, principal: Principal, token: ProviderToken, rights: UserRights) -> None:
        """Keep rights no longer, since they were refused."""
        self._kept.drop(_key(principal, token), rights)

    async def _exchanged(self, token: str, seconds: float) -> UserRights:
        if self._user_jwt_url is not None:
            try:
                return await self._user_jwt(self._user_jwt_url, token, seconds)
            except UpstreamError as error:
                if self._introspect_url is None:
                    raise _of_the_user(error, token) from None
                logger.warning("no user JWT (%s); introspecting", error.code)
        if self._introspect_url is None:
            raise OddAnswerError(SERVICE)
        return await self._introspected(self._introspect_url, token)

    async def _user_jwt(self, url: str, token: str, seconds: float) -> UserRights:
        call = Call(
            service=SERVICE,
            url=url,
            method="POST",
            headers={"authorization": f"Bearer {token}", "accept": "application/json"},
            json={"access_token": token},
            retried=passing_fault,
        )
        return self._of_jwt(await self._ask(call, Deadline.after(seconds)))

    async def _introspected(self, url: str, token: str) -> UserRights:
        """RFC 7662, and what NeonPanel says beyond it."""
        answer = await self._authenticated(url, token)
        if answer.get("active", True) is not True:
            raise _RefusedError(token)
        if answer.get("user_jwt") is not None:
            return self._of_jwt(answer)
        permissions = _permissions(answer.get("permissions"))
        soon = self._clock() + PERMISSIONS_SECONDS + EARLY
        return UserRights(None, permissions, min(number(answer.get("exp")) or 0.0, soon))

    async def _authenticated(self, url: str, token: str) -> Mapping[str, Any]:
        async def ask(headers: Mapping[str, str]) -> Mapping[str, Any]:
            call = Call(
                service=SERVICE,
                url=url,
                method="POST",
                form={"token": token, "token_type_hint": "access_token"},
                headers={"accept": "application/json", **headers},
                retried=passing_fault,
            )
            return await self._ask(call, Deadline.after(SECONDS))

        if not await self._client.configured():
            return await ask({})
        return await self._client.use(lambda client_id, secret: ask({"authorization": _basic(client_id, secret)}))

    async def _ask(self, call: Call, deadline: Deadline) -> Mapping[str, Any]:
        async with self._http.open(call, deadline) as response:
            if response.status_code != HTTPStatus.OK:
                raise self._http.error(call, response)
            answer = await decoded(SERVICE, response)
        if not isinstance(answer, Mapping):
            raise OddAnswerError(SERVICE)
        return answer

    def _of_jwt(self, answer: Mapping[str, Any]) -> UserRights:
        jwt = answer.get("user_jwt")
        if not isinstance(jwt, str) or not sendable(jwt):
            raise OddAnswerError(SERVICE)
        return UserRights(jwt, frozenset(), expiry(jwt, answer, self._clock()))


def _key(principal: Principal, token: ProviderToken) -> Hashable:
    """Whose rights they are; never the token alone, of which a user has many."""
    return (*principal.identity, token.scopes, token.tenant)


def _of_the_user(error: UpstreamError, token: str) -> UpstreamError:
    """The exchange knows users only: what it refuses is the user's token."""
    return _RefusedError(token) if isinstance(error, RejectedKeyError | DeniedError) else error


def _permissions(said: Any) -> frozenset[str]:
    """Names in a list, in a string with blanks, or those that an object gives `true`; of anything else, none."""
    if isinstance(said, str):
        return frozenset(said.split())
    if isinstance(said, Mapping):
        return frozenset(name for name, allowed in said.items() if allowed is True)
    return frozenset(name for name in said if isinstance(name, str)) if isinstance(said, list) else frozenset()


def _basic(client_id: str, secret: str) -> str:
    """RFC 6749, section 2.3.1."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
