"""Refreshes grants: checks a refresh token, and supersedes it by one conditional write."""

from typing import TYPE_CHECKING, NamedTuple

from auth.errors import InvalidGrantError, InvalidScopeError, InvalidTargetError, TooManyRequestsError
from auth.events import Event, Sink
from auth.records import Grant
from auth.server import refresh_token, rotation
from auth.server.config import Config
from auth.server.grant_records import ATTEMPTS, GrantRecords, Prepare, Seen, too_busy

if TYPE_CHECKING:
    from auth.keys.server_key import ServerKey

NOT_GOOD = "The refresh token is unknown, expired, revoked, or was issued to another client."
REUSED = "refresh token reused"


class Request(NamedTuple):
    """What came with a refresh token.

    Attributes:
        client_id: of the client that authenticated.
        scopes: what the access token is to carry; None: all that was granted.
        resource: canonical; None if it named none.
        prepare: makes the answer before the token is superseded.
    """

    client_id: str
    scopes: frozenset[str] | None
    resource: str | None
    prepare: Prepare


Answer = tuple[Grant, str]


class Refreshing:
    """Carries out what `rotation` decides."""

    def __init__(self, grants: GrantRecords, server_key: "ServerKey", config: Config, events: Sink) -> None:
        self._grants = grants
        self._server_key = server_key
        self._config = config
        self._events = events

    async def refresh(self, token: str, request: Request, now: int) -> Answer:
        """The grant and its current refresh token; see `Grants.refresh`."""
        presented = refresh_token.parse(token)
        if presented is None:
            raise InvalidGrantError(NOT_GOOD)
        raced = False
        for _ in range(ATTEMPTS):
            seen = await self.verified(presented, request.client_id)
            if seen is None:
                raise InvalidGrantError(NOT_GOOD)
            decision = self.decide(seen.grant, presented, now, raced=raced)
            if (answer := await self._act(seen, decision, request, now)) is not None:
                return answer
            raced = raced or isinstance(decision, rotation.Rotate)
        raise too_busy()

    async def verified(self, presented: refresh_token.Presented, client_id: str) -> Seen | None:
        """The grant of a refresh token that was made here for this client, whatever its generation."""
        seen = await self._grants.read(presented.grant_id)
        if seen is None or seen.grant.client_id != client_id:
            return None
        return seen if await self._is_ours(presented, seen.grant) else None

    async def _is_ours(self, presented: refresh_token.Presented, grant: Grant) -> bool:
        keys = await self._server_key.accepted(refresh_token.PURPOSE)
        if refresh_token.is_ours(presented, grant, keys):
            return True
        # Another machine may know a newer secret; a client throws away what is refused.
        keys = await self._server_key.accepted(refresh_token.PURPOSE, refresh=True)
        return refresh_token.is_ours(presented, grant, keys)

    def decide(
        self, grant: Grant, presented: refresh_token.Presented, now: int, *, raced: bool = False
    ) -> rotation.Decision:
        """What to do with a refresh token that was verified."""
        config = self._config
        return rotation.decide(
            grant, presented.generation, now, grace=config.grace, lifetime=config.refresh_token, raced=raced
        )

    async def _act(self, seen: Seen, decision: rotation.Decision, request: Request, now: int) -> Answer | None:
        """The answer; None where another write was faster, and all is to be decided anew."""
        match decision:
            case rotation.Rotate():
                return await self._rotate(seen, request, now)
            case rotation.Retry():
                return await self._retry(seen, request)
            case rotation.Reuse():
                await self._reused(seen, now)
                return None
            case rotation.TooMany(retry_after):
                raise TooManyRequestsError("The grant was refreshed too often.", retry_after)
            case rotation.Dead():
                raise InvalidGrantError(NOT_GOOD)

    async def _rotate(self, seen: Seen, request: Request, now: int) -> Answer | None:
        grant = rotation.rotated(seen.grant, now)
        answer = await self._answer(grant, request)
        if not await self._grants.replace(seen, grant, now):
            return None
        self._events(Event("refresh_rotated", {"grant_id": grant.id, "generation": grant.generation}))
        return answer

    async def _retry(self, seen: Seen, request: Request) -> Answer:
        answer = await self._answer(seen.grant, request)
        self._events(Event("refresh_retried", {"grant_id": seen.grant.id, "generation": seen.grant.generation}))
        return answer

    async def _reused(self, seen: Seen, now: int) -> None:
        if not await self._grants.end(seen, REUSED, now):
            return
        grant = seen.grant
        self._events(Event("refresh_token_reused", {"grant_id": grant.id, "client_id": grant.client_id}, alarming=True))
        self._events(Event("grant_revoked", {"grant_id": grant.id, "reason": REUSED}))
        raise InvalidGrantError(NOT_GOOD)

    async def _answer(self, grant: Grant, request: Request) -> Answer:
        _check(grant, request)
        if not await self._grants.backed(grant):
            raise InvalidGrantError("The user's access ended.")
        token = refresh_token.write(await self._server_key.current(refresh_token.PURPOSE), grant)
        await request.prepare(grant, token)
        return grant, token


def _check(grant: Grant, request: Request) -> None:
    if request.scopes is not None and not request.scopes <= set(grant.scopes):
        raise InvalidScopeError("scope is more than what was granted.")
    if request.resource not in (None, grant.resource):
        raise InvalidTargetError("resource is not the one that was granted.")
