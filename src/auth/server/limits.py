"""How often something may be tried: fixed windows, counted in the store, so that all instances share the count."""

import hashlib
import ipaddress
import math
from collections.abc import Callable
from typing import Final

from auth.errors import TooManyRequestsError
from auth.events import Event, Sink
from auth.server.config import HOUR, MINUTE, Limits
from auth.usernames import canonical_or_typed
from store.protocol import Store

# Instances whose clocks differ by less still count together at the end of a window.
_LINGER: Final = MINUTE
_PREFIX_OF_A_HOME: Final = 64


class RateLimits:
    """Counts tries and refuses those beyond a limit.

    Every method raises `TooManyRequestsError` with what is left of the window, and `StoreUnavailableError` where the
    store cannot count.

    Args:
        store: where the counts are.
        limits: how many are allowed.
        events: told `rate_limited` by the first refusal of a window.
        clock: epoch seconds.
    """

    def __init__(self, store: Store, limits: Limits, events: Sink, clock: Callable[[], float]) -> None:
        self._store = store
        self._limits = limits
        self._events = events
        self._clock = clock

    async def sign_in(self, username: str, address: str) -> None:
        """Count a sign-in of a user, which need not exist, from an address."""
        # The address first: beyond its own limit, it does not use up a user's.
        await self._count("sign_in_address", network(address), self._limits.sign_ins_per_address, MINUTE)
        # People type passwords there.
        name = _hashed(canonical_or_typed(username))
        await self._count("sign_in_user", name, self._limits.sign_ins_per_user, MINUTE)

    async def token(self, client_id: str, address: str) -> None:
        """Count a token request of a client, which need not exist, from an address.

        Anybody can name a public client, and an app's document is the same client for all of its users: a stranger
        must not use up what it has.
        """
        who = _hashed(f"{network(address)} {client_id}")
        await self._count("token", who, self._limits.token_requests_per_client, MINUTE)

    async def registration(self, address: str) -> None:
        """Count a registration from an address."""
        await self._count("registration", network(address), self._limits.registrations_per_address, HOUR)

    async def _count(self, what: str, who: str, limit: int, seconds: int) -> None:
        now = self._clock()
        window = int(now // seconds)
        end = (window + 1) * seconds
        count = await self._store.add(f"rate#{what}#{who}#{window}", 1, expires=end + _LINGER)
        if count <= limit:
            return
        if count == limit + 1:
            self._events(Event("rate_limited", {"what": what, "who": who, "limit": limit, "seconds": seconds}))
        raise TooManyRequestsError("Too many requests. Wait, then try again.", max(1, math.ceil(end - now)))


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, also where it is written as IPv6's, or an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), _PREFIX_OF_A_HOME), strict=False))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
