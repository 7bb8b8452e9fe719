"""`requestState`, sealed on its way to the client and verified on its way back (2026-07-28, multi round-trip requests).

The key is fetched when a call first needs it, so that no cold start waits for it.
"""

import hashlib
import hmac
import json
import logging
import math
import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types.methods import INPUT_REQUIRED_METHODS, is_input_required

from auth.principal import ANONYMOUS
from mcp_app.transport.call_context import Context, scope_of

if TYPE_CHECKING:
    from mcp.server.request_state import RequestStateBoundary

logger = logging.getLogger(__name__)

SECRET = "SERVER_SECRET"  # noqa: S105 (the name of a setting)
SHORTEST = 32
LIFETIME_SECONDS = 600.0
RENEWAL_SECONDS = 30.0
_REFUSED = {"reason": "invalid_request_state"}
_PURPOSE = b"mcpx request state"


class SecretSource(Protocol):
    """Where the key comes from."""

    async def get(self, name: str, *, refresh: bool = False) -> str | None:
        """The value of that name; None where none is configured."""
        ...


class SealedState:
    """Server middleware: seals the state of an `input_required` result, verifies the state of the call that answers it.

    A sealed state is good for ten minutes, for the same caller, method, tool and arguments. Without a `SERVER_SECRET`
    the key is random and the process's own, which is enough on one machine only.

    Args:
        secrets: where `SERVER_SECRET` comes from.
        audience: this service's name, so that a state sealed by another with the same key is refused.
        randomness: makes that many random bytes.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        secrets: SecretSource,
        audience: str,
        randomness: Callable[[int], bytes] = os.urandom,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secrets = secrets
        self._audience = audience
        self._randomness = randomness
        self._clock = clock
        self._next_renewal = -math.inf
        self._keys: tuple[bytes, ...] = ()
        self._own_key: bytes | None = None
        self._boundary: RequestStateBoundary | None = None

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Pass a call on with its state in the clear, and its result back with its state sealed."""
        if ctx.method not in INPUT_REQUIRED_METHODS:
            return await call_next(ctx)
        if ctx.params is not None and ctx.params.get("requestState") is not None:
            return await self._verified(ctx, call_next)
        result = await call_next(ctx)
        if not is_input_required(result):
            return result
        return await (await self._current())(ctx, _returning(result))

    async def _verified(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        try:
            return await (await self._current())(ctx, call_next)
        except MCPError as error:
            # Another instance may have sealed it with a secret that is newer than the one known here.
            if error.data != _REFUSED or not await self._renewed():
                raise
        return await (await self._current())(ctx, call_next)

    async def _renewed(self) -> bool:
        """Whether the secret, asked for again, is another; anybody can send a bad state, so not too often."""
        if self._clock() < self._next_renewal:
            return False
        self._next_renewal = self._clock() + RENEWAL_SECONDS
        known = self._keys[:1]
        await self._secrets.get(SECRET, refresh=True)
        return (await self._key(),) != known

    async def _current(self) -> "RequestStateBoundary":
        key = await self._key()
        if self._boundary is None or self._keys[0] != key:
            # The key before a rotation still opens what was sealed under it.
            self._keys = (key, *self._keys[:1])
            self._boundary = _boundary(self._keys, self._audience)
        return self._boundary

    async def _key(self) -> bytes:
        secret = await self._secrets.get(SECRET)
        if secret is not None:
            if len(secret) < SHORTEST:
                raise ValueError(f"{SECRET} must have {SHORTEST} characters or more")
            return hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)
        if self._own_key is None:
            logger.warning("no %s: states that tools hand to clients are good in this process only", SECRET)
            self._own_key = self._randomness(32)
        return self._own_key


def _boundary(keys: tuple[bytes, ...], audience: str) -> "RequestStateBoundary":
    from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity

    security = RequestStateSecurity(keys=keys, ttl=LIFETIME_SECONDS, bind_principal=_caller)
    return RequestStateBoundary(security, default_audience=audience)


def _caller(ctx: Context) -> str:
    principal = scope_of(ctx).get("principal", ANONYMOUS)
    return json.dumps([*principal.identity, principal.client_id])


def _returning(result: HandlerResult) -> Callable[[Context], Awaitable[HandlerResult]]:
    async def call_next(_context: Context) -> HandlerResult:
        return result

    return call_next
