"""What users allowed clients, from the consent to the end of it."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from auth import records
from auth.events import Event, Sink
from auth.records import Client, Code, Grant, User
from auth.server import authorization_code, redemption, refresh_token, refreshing, rotation
from auth.server.config import Config
from auth.server.grant_records import ATTEMPTS, LEEWAY, GrantRecords, Prepare, nothing, too_busy
from auth.server.redeeming import Redeeming
from auth.server.refreshing import Refreshing
from store.protocol import Store

if TYPE_CHECKING:
    from auth.keys.server_key import ServerKey
    from auth.server.server import Clock, Randomness

ID_BYTES = 16
SEED_BYTES = 32


class Grants:
    """The grants in a store. Every method raises `StoreUnavailableError` where the store does not answer.

    Args:
        store: where they are kept.
        server_key: what refresh tokens are made with.
        config: how long they live.
        events: told what happens to them.
        clock: epoch seconds.
        randomness: that many random bytes.
    """

    def __init__(
        self,
        store: Store,
        server_key: "ServerKey",
        config: Config,
        events: Sink,
        *,
        clock: "Clock",
        randomness: "Randomness",
    ) -> None:
        self._store = store
        self._config = config
        self._events = events
        self._clock = clock
        self._randomness = randomness
        self._records = GrantRecords(store, config)
        self._redeeming = Redeeming(self._records, server_key, config, events)
        self._refreshing = Refreshing(self._records, server_key, config, events)

    async def open(
        self, *, user: User, client: Client, scopes: Collection[str], resource: str, redirect_uri: str, challenge: str
    ) -> str:
        """Make a pending grant of what a user allowed just now.

        Args:
            user: who allowed it.
            client: whom.
            scopes: what.
            resource: canonical; what for.
            redirect_uri: where the code is sent.
            challenge: PKCE's, S256.

        Returns:
            The authorization code; good for `Config.code` seconds, once.
        """
        now, secret = self._now(), authorization_code.new_secret(self._randomness(authorization_code.SECRET_BYTES))
        code = Code(authorization_code.hash_of(secret), challenge, redirect_uri, now + self._config.code)
        grant = self._new(user, client.id, client.name, scopes, resource)
        grant = grant._replace(code=code, refreshable="refresh_token" in client.grant_types)
        await self._records.insert(grant, code.expires)
        self._events(Event("code_issued", {"grant_id": grant.id, "client_id": client.id, "user_id": user.id}))
        return authorization_code.write(grant.id, secret)

    async def redeem(
        self,
        code: str,
        *,
        client: Client,
        redirect_uri: str,
        verifier: str,
        resource: str | None,
        prepare: Prepare = nothing,
    ) -> Grant:
        """Use up an authorization code.

        Args:
            code: as the client sent it.
            client: who authenticated.
            redirect_uri: that of the authorization request.
            verifier: PKCE's.
            resource: canonical; None if the client named none.
            prepare: makes the answer before the code is used up.

        Returns:
            The grant, active from now on.

        Raises:
            InvalidGrantError: the code is not good, or not for this request. If all but its being used is right, the
                grant is revoked.
            InvalidTargetError: the code is for another resource.
        """
        request = redemption.Request("", client.id, redirect_uri, verifier, resource)
        return await self._redeeming.redeem(code, request, self._randomness(SEED_BYTES).hex(), self._now(), prepare)

    async def refresh(
        self,
        token: str,
        *,
        client: Client,
        scopes: frozenset[str] | None,
        resource: str | None,
        prepare: Prepare = nothing,
    ) -> tuple[Grant, str]:
        """Supersede a refresh token, or give the current one again to a client that lost it.

        Args:
            token: as the client sent it.
            client: who authenticated.
            scopes: what the access token is to carry; None: all that was granted.
            resource: canonical; None if the client named none.
            prepare: makes the answer before the token is superseded.

        Returns:
            The grant, and its current refresh token.

        Raises:
            InvalidGrantError: the token is not good. If it was superseded long ago, the grant is revoked.
            InvalidScopeError: more was asked for than was granted.
            InvalidTargetError: the grant is for another resource.
            TooManyRequestsError: the grant is refreshed as if in a loop.
        """
        request = refreshing.Request(client.id, scopes, resource, prepare)
        return await self._refreshing.refresh(token, request, self._now())

    async def of_refresh_token(self, token: str, client: Client) -> Grant | None:
        """The grant of a refresh token that was made here for this client, whatever its generation and its end."""
        presented = refresh_token.parse(token)
        seen = await self._refreshing.verified(presented, client.id) if presented else None
        return seen.grant if seen else None

    async def is_active(self, token: str, grant: Grant) -> bool:
        """Whether a refresh token of a grant would be answered with tokens now."""
        presented = refresh_token.parse(token)
        if presented is None or not await self._records.backed(grant):
            return False
        decision = self._refreshing.decide(grant, presented, self._now())
        return isinstance(decision, rotation.Rotate | rotation.Retry | rotation.TooMany)

    async def find(self, grant_id: str) -> Grant | None:
        """A grant, whatever its state."""
        seen = await self._records.read(grant_id)
        return seen.grant if seen else None

    async def in_use(self, grant: Grant) -> bool:
        """Whether access tokens of a grant are good now: it is active, and its user stands behind it."""
        user = await self._records.user(grant.user_id)
        return user is not None and _in_use(grant, user)

    async def of_user(self, user_id: str, after: str | None = None, limit: int = 100) -> list[Grant]:
        """A user's grants that are in use, by id.

        Args:
            user_id: whose.
            after: the id of the last grant that was shown.
            limit: so many at most.
        """
        user = await self._records.user(user_id)
        key = records.grant_key(after) if after else None
        found: list[Grant] = []
        while user and len(found) < limit:
            page = await self._store.list(records.grants_of(user_id), after=key, limit=limit)
            if not page:
                break
            grants = [grant for stored in page if _in_use(grant := records.grant(stored.record), user)]
            found += await self._with_client(grants)
            key = page[-1].key
        return found[:limit]

    async def revoke(self, grant_id: str, reason: str) -> bool:
        """End a grant; its tokens stop within a minute.

        Args:
            grant_id: which.
            reason: why, in words of our own; it is stored and reported.

        Returns:
            Whether this ended it: False where there is none, or it had ended.
        """
        for _ in range(ATTEMPTS):
            seen = await self._records.read(grant_id)
            if seen is None or seen.grant.revoked is not None:
                return False
            if await self._records.end(seen, reason, self._now()):
                self._events(Event("grant_revoked", {"grant_id": grant_id, "reason": reason}))
                return True
        raise too_busy()

    async def issue_direct(
        self, user: User, *, client_id: str, client_name: str, scopes: Collection[str], resource: str, lifetime: int
    ) -> Grant:
        """Make an active grant without a code and without refresh tokens, for one access token.

        Args:
            user: whose.
            client_id: for whom the token is.
            client_name: as people see it.
            scopes: what the token may carry.
            resource: canonical.
            lifetime: of the token, in seconds.
        """
        grant = self._new(user, client_id, client_name, scopes, resource)
        grant = grant._replace(refreshable=False, last_used=grant.created)
        await self._records.insert(grant, grant.created + lifetime + LEEWAY)
        return grant

    async def _with_client(self, grants: Sequence[Grant]) -> list[Grant]:
        """Those whose client was not removed."""
        needed = {grant.id: key for grant in grants if (key := records.needed_client(grant.client_id))}
        there = await self._store.get_many(sorted(set(needed.values()))) if needed else {}
        return [grant for grant in grants if grant.id not in needed or needed[grant.id] in there]

    def _new(self, user: User, client_id: str, client_name: str, scopes: Collection[str], resource: str) -> Grant:
        return Grant(
            id=self._randomness(ID_BYTES).hex(),
            user_id=user.id,
            epoch=user.epoch,
            client_id=client_id,
            client_name=client_name,
            scopes=tuple(sorted(scopes)),
            resource=resource,
            created=self._now(),
        )

    def _now(self) -> int:
        return int(self._clock())


def _in_use(grant: Grant, user: User) -> bool:
    pending = grant.code is not None and grant.code.redeemed is None
    return not pending and grant.revoked is None and grant.epoch == user.epoch
