"""The authorization server: what its endpoints work with, put together once and made when first needed."""

import secrets
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auth.events import Sink, ignore
from auth.server.config import Config
from store.protocol import Store

if TYPE_CHECKING:
    from auth.keys.keys import Keys
    from auth.keys.server_key import ServerKey
    from auth.server.clients import Clients
    from auth.server.documents import Documents
    from auth.server.grants import Grants
    from auth.server.limits import RateLimits
    from auth.server.sessions import Sessions
    from auth.tokens import AccessTokens
    from auth.users import Users
    from auth.verify.liveness import Liveness

Clock = Callable[[], float]
Randomness = Callable[[int], bytes]


class AuthorizationServer:
    """Users, clients, grants and tokens over one store.

    Args:
        store: where everything is kept.
        keys: what signs access tokens.
        server_key: what seals refresh tokens and forms.
        documents: where client metadata documents come from; None makes the one that guards against private addresses.
        address: the client's IP address for a request's ASGI scope.
        events: told what happens.
        clock: epoch seconds.
        randomness: that many random bytes.
    """

    def __init__(
        self,
        store: Store,
        keys: "Keys",
        server_key: "ServerKey",
        config: Config,
        *,
        documents: "Documents | None" = None,
        address: Callable[[Mapping[str, Any]], str],
        events: Sink = ignore,
        clock: Clock = time.time,
        randomness: Randomness = secrets.token_bytes,
    ) -> None:
        self.store = store
        self.keys = keys
        self.server_key = server_key
        self.config = config
        self.address = address
        self.events = events
        self.clock = clock
        self.randomness = randomness
        self._documents = documents

    @cached_property
    def tokens(self) -> "AccessTokens":
        """Access tokens, signed and verified."""
        from auth.tokens import AccessTokens

        return AccessTokens(self.keys, self.randomness)

    @cached_property
    def liveness(self) -> "Liveness":
        """Whether the grants of tokens still live."""
        from auth.verify.liveness import Liveness

        return Liveness(self.store, self.clock)

    @cached_property
    def users(self) -> "Users":
        """Who can sign in."""
        from auth.users import Users

        return Users(self.store, self.config, self.events, self.clock, self.randomness)

    @cached_property
    def sessions(self) -> "Sessions":
        """Browsers that signed in."""
        from auth.server.sessions import Sessions

        return Sessions(self.store, self.config, self.clock, self.randomness)

    @cached_property
    def clients(self) -> "Clients":
        """Who may ask for a grant."""
        from auth.server.clients import Clients

        return Clients(
            self.store, self.documents, self.config, self.events, clock=self.clock, randomness=self.randomness
        )

    @cached_property
    def documents(self) -> "Documents":
        """Client metadata documents."""
        from auth.server.documents import Documents

        return self._documents or Documents(clock=self.clock, scopes=self.config.scopes)

    @cached_property
    def grants(self) -> "Grants":
        """What users allowed clients."""
        from auth.server.grants import Grants

        return Grants(
            self.store, self.server_key, self.config, self.events, clock=self.clock, randomness=self.randomness
        )

    @cached_property
    def limits(self) -> "RateLimits":
        """How often something may be tried."""
        from auth.server.limits import RateLimits

        return RateLimits(self.store, self.config.limits, self.events, self.clock)
