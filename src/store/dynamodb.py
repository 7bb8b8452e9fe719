"""The store on AWS: one DynamoDB table, for any number of instances."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import anyio.to_thread

from store import dynamodb_items as items
from store.dynamodb_client import ConditionFailedError, DynamoClient, Timeouts
from store.limits import check_keys, check_name, check_record, counter_name, listable, storable
from store.protocol import Stored, StoreUnavailableError

ROUNDS: Final = 4
"""Attempts at what DynamoDB left undone, or what somebody else's write came between."""

PAUSE: Final = 0.05
"""Seconds before the second attempt at what DynamoDB left undone; doubled before each further one."""


TIMEOUTS: Final = Timeouts()


class DynamoStore:
    """Records in a DynamoDB table; see `store.protocol.Store`.

    Each write carries a random version. botocore repeats a write whose answer was lost, and the repetition then fails
    on its condition: whoever finds their own version in the table has won.

    Args:
        table: its name or ARN; the storage reference describes it.
        clock: epoch seconds.
        endpoint_url: of the service; None leaves it to botocore, which heeds `AWS_ENDPOINT_URL_DYNAMODB`.
        region: None leaves it to botocore.
        timeouts: for each attempt.
    """

    def __init__(
        self,
        table: str,
        clock: Callable[[], float] = time.time,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        timeouts: Timeouts = TIMEOUTS,
    ) -> None:
        self._client = DynamoClient(table, endpoint_url, region, timeouts)
        self._clock = clock

    async def get(self, key: str, *, consistent: bool = False) -> Stored | None:
        """The record under a key; a consistent read costs twice as much."""
        if not storable(key):
            return None
        return await anyio.to_thread.run_sync(self._get, key, consistent)

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, Stored]:
        """Up to 100 records in one read, by key."""
        check_keys(len(keys))
        wanted = sorted({key for key in keys if storable(key)})
        return await anyio.to_thread.run_sync(self._get_many, wanted) if wanted else {}

    async def insert(self, key: str, record: bytes, *, expires: int | None = None, owner: str | None = None) -> bool:
        """Write a record where there is none; whether it was written."""
        check_name("key", key)
        if owner is not None:
            check_name("owner", owner)
        made = _stored(key, record, expires, owner)
        return await self._put(made, items.insert(made, self._clock()))

    async def replace(self, seen: Stored, record: bytes, *, expires: int | None = None) -> bool:
        """Write over a record if it is still what was seen; whether it was written."""
        made = _stored(seen.key, record, expires, seen.owner)
        return await self._put(made, items.replace(made, seen.version, self._clock()))

    async def delete(self, key: str) -> None:
        """Remove a record, if it exists."""
        if storable(key):
            wanted = {"Key": {items.KEY: {"S": key}}}
            await anyio.to_thread.run_sync(self._client.on_table, "delete_item", wanted)

    async def list(self, owner: str, *, after: str | None = None, limit: int = 100) -> Sequence[Stored]:
        """An owner's records in the order of their keys, those behind `after`, at most `limit`; the index lags."""
        if limit < 1 or not listable(owner, after):
            return ()
        return await anyio.to_thread.run_sync(self._list, owner, after, limit)

    async def add(self, counter: str, n: int, *, expires: int) -> int:
        """Add to a counter; what it is then."""
        return await anyio.to_thread.run_sync(self._add, counter_name(counter), n, expires)

    async def aclose(self) -> None:
        """Close the connections."""
        await anyio.to_thread.run_sync(self._client.close)

    def _get(self, key: str, consistent: bool) -> Stored | None:
        found = self._client.on_table("get_item", items.get(key, consistent))
        return items.stored(found.get("Item"), self._clock())

    def _get_many(self, keys: Sequence[str]) -> Mapping[str, Stored]:
        wanted: Mapping[str, Any] = {self._client.table: {"Keys": [{items.KEY: {"S": key}} for key in keys]}}
        found: dict[str, Stored] = {}
        for attempt in range(ROUNDS):
            if attempt:
                time.sleep(PAUSE * 2 ** (attempt - 1))
            output = self._client.call("batch_get_item", {"RequestItems": wanted})
            read = (items.stored(item, self._clock()) for table in output["Responses"].values() for item in table)
            found.update((stored.key, stored) for stored in read if stored)
            wanted = output.get("UnprocessedKeys") or {}
            if not wanted:
                return found
        raise StoreUnavailableError("DynamoDB left keys unread.")

    async def _put(self, made: Stored, request: Mapping[str, Any]) -> bool:
        return await anyio.to_thread.run_sync(partial(self._won, made, request))

    def _won(self, made: Stored, request: Mapping[str, Any]) -> bool:
        try:
            self._client.on_table("put_item", request)
        except ConditionFailedError:
            found = self._client.on_table("get_item", items.get(made.key, consistent=True)).get("Item", {})
            version: Any = found.get(items.VERSION, {}).get("S")
            return bool(version == made.version)
        return True

    def _list(self, owner: str, after: str | None, limit: int) -> Sequence[Stored]:
        """Pages until there are enough: expired records count towards a page's size."""
        found: list[Stored] = []
        while len(found) < limit:
            page = self._client.on_table("query", items.owned(owner, after, limit))
            read = (items.stored(item, self._clock()) for item in page["Items"])
            found.extend(stored for stored in read if stored)
            if not page.get("LastEvaluatedKey"):
                break
            after = page["LastEvaluatedKey"][items.KEY]["S"]
        return found[:limit]

    def _add(self, counter: str, n: int, expires: int) -> int:
        for _ in range(ROUNDS):
            try:
                request = items.count_on(counter, n, expires, self._clock())
                counted = self._client.on_table("update_item", request)
                return int(counted["Attributes"][items.COUNT]["N"])
            except ConditionFailedError:
                pass  # what is there has ended
            try:
                self._client.on_table("put_item", items.count_anew(counter, n, expires, self._clock()))
            except ConditionFailedError:
                continue  # somebody else began it anew
            return n
        raise StoreUnavailableError("DynamoDB's counter is too busy.")


def _stored(key: str, record: bytes, expires: int | None, owner: str | None) -> Stored:
    check_record(record)
    return Stored(key, record, secrets.token_hex(16), expires, owner)
