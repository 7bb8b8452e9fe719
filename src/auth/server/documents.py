"""Client ID Metadata Documents: clients that are known by the https URL of what they say about themselves.

draft-ietf-oauth-client-id-metadata-document-01; MCP 2025-11-25, authorization, "Client ID Metadata Documents".
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import anyio
import anyio.to_thread

from auth.errors import InvalidClientError, OAuthError
from auth.json_object import decoded
from auth.records import Client
from auth.scopes import DEFAULT_SCOPES
from auth.server.addresses import Address, NotPublicError, public_addresses
from auth.server.client_metadata import PUBLIC_METHOD, USER_GRANTS, checked
from auth.server.document_fetch import Fetched, FetchError, fetch
from auth.server.urls import Url, is_name, parse

if TYPE_CHECKING:
    import ssl

Resolver = Callable[[str, int], Awaitable[Sequence[Address]]]

LONGEST_URL: Final = 500
SHORTEST_KEPT: Final = 5 * 60
LONGEST_KEPT: Final = 24 * 60 * 60
"""Seconds for which a good document is kept, whatever its server says."""
FAILURE_KEPT: Final = 30
"""Seconds for which a document that could not be had is not asked for again."""
MOST_KEPT: Final = 256
FETCHES_PER_HOST: Final = 10
FETCHES: Final = 120
"""In a minute and process: more would make this server a tool for flooding others."""
AT_ONCE: Final = 16
"""Fetches under way: a name may take long to look up, and the store needs threads too."""

_NOT_FETCHED: Final = "The client's metadata document could not be fetched."
"""One sentence whatever happened: it tells nobody which names and addresses exist inside a network."""

_TOO_MANY: Final = "Too many metadata documents are being asked for. Try again in a minute."


class DocumentError(InvalidClientError):
    """A client's metadata document cannot be had, or cannot be used.

    Attributes:
        reason: a few words for the operator, who may know what the user must not.
    """

    status = 400

    def __init__(self, description: str, reason: str) -> None:
        super().__init__(description)
        self.reason = reason


class _Kept(NamedTuple):
    """A good document's client or what was wrong (a `DocumentError`'s arguments), until when."""

    expires: float
    client: Client | None
    failure: tuple[str, str] = ("", "")


def document_url(client_id: str) -> Url | None:
    """The parts of a client id that is a document's URL; None where it cannot be one.

    https, a DNS name of more than one label, no port, a path other than `/`; no user info, fragment or dot segments.
    """
    try:
        url = parse(client_id, longest=LONGEST_URL)
    except ValueError:
        return None
    plain = url.scheme == "https" and url.port is None and url.path not in ("", "/")
    return url if plain and "." in url.host and is_name(url.host) else None


class Documents:
    """Clients by the URLs of their documents, each fetched at most once at a time and kept for a while.

    Args:
        resolver: the addresses for a host and port; raises `NotPublicError` where nobody may connect.
        ssl_context: whom to trust; None: the system's certificates.
        clock: epoch seconds.
        seconds: for looking up, connecting and reading, all in all.
        scopes: those that clients may ask for.
    """

    def __init__(
        self,
        *,
        resolver: Resolver = public_addresses,
        ssl_context: "ssl.SSLContext | None" = None,
        clock: Callable[[], float] = time.time,
        seconds: float = 3.0,
        scopes: Sequence[str] = DEFAULT_SCOPES,
    ) -> None:
        self._resolver = resolver
        self._ssl_context = ssl_context
        self._clock = clock
        self._seconds = seconds
        self._scopes = scopes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._under_way: dict[str, anyio.Event] = {}
        self._slots = anyio.Semaphore(AT_ONCE)
        self._minute = 0
        self._fetches: Counter[str] = Counter()

    def cached(self, client_id: str) -> Client | None:
        """The client of a document that was fetched before and may still be kept."""
        kept = self._fresh(client_id)
        return kept.client if kept else None

    async def get(self, client_id: str) -> Client:
        """The client that a document describes, fetched unless it is kept.

        Raises:
            DocumentError: it cannot be had or used.
        """
        while True:
            kept = self._fresh(client_id)
            if kept is not None:
                return _client_or_error(kept)
            landed = self._under_way.get(client_id)
            if landed is None:
                return _client_or_error(await self._fly(client_id))
            await landed.wait()

    def _fresh(self, client_id: str) -> _Kept | None:
        kept = self._kept.get(client_id)
        if kept is None or kept.expires <= self._clock():
            return None
        self._kept.move_to_end(client_id)
        return kept

    async def _fly(self, client_id: str) -> _Kept:
        landed = self._under_way[client_id] = anyio.Event()
        try:
            kept = self._kept[client_id] = await self._settled(client_id)
            self._kept.move_to_end(client_id)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return kept
        finally:
            del self._under_way[client_id]
            landed.set()

    async def _settled(self, client_id: str) -> _Kept:
        try:
            fetched = await self._fetched(client_id)
            client = client_of(client_id, fetched.body, int(self._clock()), self._scopes)
        except DocumentError as error:
            return _Kept(self._clock() + FAILURE_KEPT, None, (error.description, error.reason))
        age = SHORTEST_KEPT if fetched.max_age is None else fetched.max_age
        return _Kept(self._clock() + min(max(age, SHORTEST_KEPT), LONGEST_KEPT), client)

    async def _fetched(self, client_id: str) -> Fetched:
        url = document_url(client_id)
        if url is None:
            raise DocumentError("The client_id is not the URL of a metadata document.", "url")
        self._count(url.host)
        try:
            with anyio.fail_after(self._seconds):
                async with self._slots:
                    addresses = await self._resolver(url.host, 443)
                    return await fetch(client_id, addresses, await self._trusted())
        except NotPublicError:
            raise DocumentError(_NOT_FETCHED, "no public address") from None
        except TimeoutError:
            raise DocumentError(_NOT_FETCHED, "no answer in time") from None
        except FetchError as error:
            raise DocumentError(_NOT_FETCHED, str(error)) from None

    def _count(self, host: str) -> None:
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute, self._fetches = minute, Counter()
        if self._fetches[host] >= FETCHES_PER_HOST or self._fetches.total() >= FETCHES:
            raise DocumentError(_TOO_MANY, "too many fetches")
        self._fetches[host] += 1

    async def _trusted(self) -> "ssl.SSLContext":
        """The certificates that are trusted; reading the system's takes a tenth of a second."""
        if self._ssl_context is None:
            self._ssl_context = await anyio.to_thread.run_sync(_system_certificates)
        return self._ssl_context


def client_of(client_id: str, body: bytes, now: int, scopes: Sequence[str] = DEFAULT_SCOPES) -> Client:
    """The client that a document describes.

    Args:
        client_id: the document's URL.
        body: the document.
        now: epoch seconds.
        scopes: those that clients may ask for.

    Raises:
        DocumentError: it is not valid (section 4 of the draft).
    """
    try:
        document = decoded(body)
    except ValueError:
        raise _invalid("is not a JSON object.") from None
    if document.get("client_id") != client_id:
        raise _invalid("has another client_id than its own URL.")
    if "client_secret" in document or "client_secret_expires_at" in document:
        raise _invalid("holds a client secret.")
    try:
        metadata = checked(document, methods=(PUBLIC_METHOD,), default_method=PUBLIC_METHOD, offered=scopes)
    except OAuthError as error:
        raise _invalid(f"is not valid. {error.description}") from None
    return Client(
        id=client_id,
        name=metadata.name or parse(client_id, longest=LONGEST_URL).host,
        source="document",
        redirect_uris=metadata.redirect_uris,
        grant_types=metadata.grant_types,
        scopes=metadata.scopes,
        auth_method=metadata.auth_method,
        secret_hash=None,
        created=now,
        uri=metadata.uri,
        application_type=metadata.application_type,
    )


def unfetched(client_id: str) -> Client:
    """A document's client where nothing of the document is needed: a public one that cannot start anything."""
    return Client(
        client_id, client_id, "document", (), USER_GRANTS, DEFAULT_SCOPES, PUBLIC_METHOD, secret_hash=None, created=0
    )


def _invalid(why: str) -> DocumentError:
    return DocumentError(f"The client's metadata document {why}", why)


def _client_or_error(kept: _Kept) -> Client:
    if kept.client is None:
        raise DocumentError(*kept.failure)
    return kept.client


def _system_certificates() -> "ssl.SSLContext":
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)
