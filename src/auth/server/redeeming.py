"""Redeems authorization codes: one conditional write on the grant that a code belongs to."""

from typing import TYPE_CHECKING

from auth.errors import InvalidGrantError
from auth.events import Event, Sink
from auth.records import Grant
from auth.server import authorization_code, redemption, refresh_token
from auth.server.config import Config
from auth.server.grant_records import ATTEMPTS, GrantRecords, Prepare, Seen, too_busy

if TYPE_CHECKING:
    from auth.keys.server_key import ServerKey

REPLAYED = "code replayed"


class Redeeming:
    """Turns pending grants into active ones."""

    def __init__(self, grants: GrantRecords, server_key: "ServerKey", config: Config, events: Sink) -> None:
        self._grants = grants
        self._server_key = server_key
        self._config = config
        self._events = events

    async def redeem(self, code: str, request: redemption.Request, seed: str, now: int, prepare: Prepare) -> Grant:
        """The active grant of a code; see `Grants.redeem`.

        Args:
            code: as it was sent.
            request: what came with it.
            seed: hex, fresh; what the grant's refresh tokens are made with.
            now: epoch seconds.
            prepare: makes the answer before the code is used up.
        """
        presented = authorization_code.parse(code)
        if presented is None:
            raise InvalidGrantError(redemption.NOT_GOOD)
        request = request._replace(secret=presented.secret)
        for _ in range(ATTEMPTS):
            seen = await self._grants.read(presented.grant_id)
            if seen is None:
                raise InvalidGrantError(redemption.NOT_GOOD)
            if (grant := await self._attempt(seen, request, seed, now, prepare)) is not None:
                return grant
        raise too_busy()

    async def _attempt(
        self, seen: Seen, request: redemption.Request, seed: str, now: int, prepare: Prepare
    ) -> Grant | None:
        """The active grant; None where another write was faster, and all is to be decided anew."""
        decision = redemption.decide(seen.grant, request, now, mark=self._config.redemption_mark)
        if isinstance(decision, redemption.Refuse):
            raise decision.error
        if isinstance(decision, redemption.Replay):
            await self._replayed(seen, now)
            return None
        if not await self._grants.backed(seen.grant):
            raise InvalidGrantError("The user's access ended.")
        grant = redemption.redeemed(seen.grant, seed if seen.grant.refreshable else "", now)
        await prepare(grant, await self._refresh_token(grant))
        return grant if await self._grants.replace(seen, grant, now) else None

    async def _replayed(self, seen: Seen, now: int) -> None:
        if not await self._grants.end(seen, REPLAYED, now):
            return
        grant = seen.grant
        self._events(Event("code_replayed", {"grant_id": grant.id, "client_id": grant.client_id}, alarming=True))
        self._events(Event("grant_revoked", {"grant_id": grant.id, "reason": REPLAYED}))
        raise InvalidGrantError(redemption.NOT_GOOD)

    async def _refresh_token(self, grant: Grant) -> str | None:
        if not grant.refreshable:
            return None
        return refresh_token.write(await self._server_key.current(refresh_token.PURPOSE), grant)
