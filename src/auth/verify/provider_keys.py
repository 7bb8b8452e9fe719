"""An external issuer's keys as one process knows them."""

from collections.abc import Awaitable, Callable, Collection
from typing import Final

from auth.errors import TemporarilyUnavailableError
from auth.events import Event, Sink, ignore
from auth.refreshed import Ages, Refreshed
from auth.verify.fetching import Fetch, NoDocumentError
from auth.verify.jwk_set import PublishedKey, published_keys

AGES: Final = Ages(most=600, pause=30, retry=10, first_retry=3)
"""Seconds; a key that its issuer took out of the set is trusted no longer than `most` while the set can be had."""

Keys = tuple[PublishedKey, ...]


class ProviderKeys:
    """The set at a URL, the last good one kept while it cannot be had.

    Args:
        fetch: gives documents.
        uri: gives the set's URL; raises `TemporarilyUnavailableError` where nobody tells it now.
        algorithms: what tokens may be signed with.
        clock: epoch seconds.
        events: told where the set cannot be had.
    """

    def __init__(
        self,
        fetch: Fetch,
        uri: Callable[[], Awaitable[str]],
        algorithms: Collection[str],
        clock: Callable[[], float],
        events: Sink = ignore,
    ) -> None:
        self._fetch = fetch
        self._uri = uri
        self._algorithms = tuple(algorithms)
        self._events = events
        self._set = Refreshed(self._read, NoDocumentError, AGES, clock)

    async def get(self, *, refresh: bool = False) -> Keys:
        """The keys; the same object until they change.

        Args:
            refresh: fetch the set again because of a key that is not in it, which is done now and then only.

        Raises:
            TemporarilyUnavailableError: they cannot be had, and never could.
        """
        keys = await self._set.get(refresh=refresh)
        if keys is None:
            raise TemporarilyUnavailableError(
                "The keys of the tokens' issuer cannot be had now. Try again.", int(AGES.first_retry)
            )
        return keys

    async def _read(self) -> Keys:
        try:
            return published_keys(await self._fetch(await self._uri()), self._algorithms)
        except (NoDocumentError, TemporarilyUnavailableError, ValueError) as error:
            self._events(Event("provider_unavailable", {"what": "keys", "reason": str(error)}, alarming=True))
            raise NoDocumentError(str(error)) from None
