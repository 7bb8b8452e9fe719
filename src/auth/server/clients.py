"""Who may ask for a grant: registered clients, those pinned here, and those known by a metadata document."""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from auth import base64url
from auth.events import Event, Sink
from auth.records import CLIENTS, Client, client, client_key, encode
from auth.server.client_metadata import ALL_GRANTS, PUBLIC_METHOD, ClientMetadata, checked
from auth.server.config import DAY, Config
from auth.server.documents import DocumentError, Documents, document_url, unfetched
from auth.server.pinned import PINNED
from store.protocol import Store

DYNAMIC: Final = "dcr"
COMMAND: Final = "cli"

_REGISTERED_ID: Final = re.compile(r"[A-Za-z0-9_\-]{1,128}\Z")
_NAMELESS: Final = "An app without a name"


class Clients:
    """Clients over a store.

    Args:
        clock: epoch seconds.
        randomness: that many random bytes.
    """

    def __init__(
        self,
        store: Store,
        documents: Documents,
        config: Config,
        events: Sink,
        *,
        clock: Callable[[], float],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._documents = documents
        self._config = config
        self._events = events
        self._clock = clock
        self._randomness = randomness

    async def find(self, client_id: str, *, fetch: bool) -> Client | None:
        """The client with an id; None where there is none.

        A document's URL gives the client that its document describes. With `fetch` the document is fetched if need
        be, which is for requests of users who signed in; without, a document that was not fetched lately gives a
        public client without redirect URIs.

        Raises:
            DocumentError: the document cannot be had or used; with `fetch` only.
        """
        if client_id in PINNED:
            return PINNED[client_id]._replace(scopes=self._config.scopes)
        if _REGISTERED_ID.match(client_id):
            return await self._registered(client_id)
        url = document_url(client_id)
        if url is None:
            return None
        if fetch:
            return await self._described(client_id, url.host)
        return self._documents.cached(client_id) or unfetched(client_id)

    async def register(self, metadata: Mapping[str, Any], address: str) -> tuple[Client, str | None]:
        """Let a client register itself (RFC 7591); the client and its secret, which a public one has not.

        It is forgotten again if it gets no token within `config.unused_client` seconds.

        Args:
            metadata: the request's members, not trusted.
            address: whence the request came.

        Raises:
            InvalidRedirectUriError, InvalidClientMetadataError: the metadata is refused.
        """
        registered, secret = self._made(checked(metadata, offered=self._config.scopes), DYNAMIC)
        await self._insert(registered, registered.created + self._config.unused_client)
        details = {"client_id": registered.id, "address": address}
        self._events(Event("client_registered", details))
        return registered, secret

    async def add(self, metadata: Mapping[str, Any]) -> tuple[Client, str | None]:
        """Add a client for the operator, who may give it the client_credentials grant; it never expires.

        Args:
            metadata: as in RFC 7591, section 2.

        Raises:
            InvalidRedirectUriError, InvalidClientMetadataError: the metadata is refused.
        """
        added, secret = self._made(checked(metadata, grants=ALL_GRANTS, offered=self._config.scopes), COMMAND)
        await self._insert(added, None)
        self._events(Event("client_added", {"client_id": added.id}))
        return added, secret

    async def list(self, after: str | None = None, limit: int = 100) -> list[Client]:
        """Registered clients in the order of their ids, those behind the id `after`; may lag."""
        start = None if after is None else client_key(after)
        return [client(stored.record) for stored in await self._store.list(CLIENTS, after=start, limit=limit)]

    async def remove(self, client_id: str) -> bool:
        """Forget a registered client; whether there was one."""
        key = client_key(client_id)
        if await self._store.get(key, consistent=True) is None:
            return False
        await self._store.delete(key)
        self._events(Event("client_removed", {"client_id": client_id}))
        return True

    async def touch(self, used: Client) -> None:
        """Note that a registered client got a token: from its first on it never expires.

        At most one write a day; losing it to another process does no harm, since that one notes the same.
        """
        now = int(self._clock())
        if used.source not in (DYNAMIC, COMMAND) or not _worth_noting(used, now):
            return
        stored = await self._store.get(client_key(used.id), consistent=True)
        if stored is not None and _worth_noting(client(stored.record), now):
            noted = client(stored.record)._replace(last_used=now)
            await self._store.replace(stored, encode(noted, stored.record), expires=None)

    async def _described(self, client_id: str, host: str) -> Client:
        try:
            return await self._documents.get(client_id)
        except DocumentError as error:
            self._events(Event("client_document_refused", {"host": host, "reason": error.reason}))
            raise

    async def _registered(self, client_id: str) -> Client | None:
        """A stored client; one that seems not to be there is read again consistently: it may have just registered."""
        key = client_key(client_id)
        stored = await self._store.get(key) or await self._store.get(key, consistent=True)
        return client(stored.record) if stored else None

    def _made(self, metadata: ClientMetadata, source: str) -> tuple[Client, str | None]:
        secret = None if metadata.auth_method == PUBLIC_METHOD else base64url.encode(self._randomness(32))
        made = Client(
            id=self._randomness(16).hex(),
            name=metadata.name or _NAMELESS,
            source=source,
            redirect_uris=metadata.redirect_uris,
            grant_types=metadata.grant_types,
            scopes=metadata.scopes,
            auth_method=metadata.auth_method,
            secret_hash=None if secret is None else hash_secret(secret),
            created=int(self._clock()),
            uri=metadata.uri,
            application_type=metadata.application_type,
        )
        return made, secret

    async def _insert(self, made: Client, expires: int | None) -> None:
        if not await self._store.insert(client_key(made.id), encode(made), expires=expires, owner=CLIENTS):
            raise RuntimeError("randomness repeated itself")


def hash_secret(secret: str) -> str:
    """What is stored of a client's secret: SHA-256 in hex; the secret has 256 random bits, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _worth_noting(found: Client, now: int) -> bool:
    return found.last_used is None or now - found.last_used >= DAY
