"""A record as an item of the DynamoDB table, and the requests that read and write one.

The template declares the table with the same names: `key` is its partition key, `by-owner` its index.
"""

from collections.abc import Mapping
from typing import Any, Final

from store.protocol import Stored

KEY: Final = "key"
OWNER: Final = "owner"
EXPIRES: Final = "expires"
VERSION: Final = "version"
RECORD: Final = "record"
COUNT: Final = "count"
BY_OWNER: Final = "by-owner"

COUNTER: Final = "counter#"
"""What a counter's key begins with; no record's does."""

_ABSENT: Final = "attribute_not_exists(#key) OR #expires <= :now"
_SEEN: Final = "#version = :seen AND (attribute_not_exists(#expires) OR #expires > :now)"
_GOES_ON: Final = "attribute_not_exists(#key) OR #expires > :now"

Item = Mapping[str, Mapping[str, Any]]


def item(stored: Stored) -> Item:
    """The item that holds a record; what it does not have is left out, DynamoDB having no null for a key."""
    members: Mapping[str, Mapping[str, Any] | None] = {
        KEY: {"S": stored.key},
        RECORD: {"B": stored.record},
        VERSION: {"S": stored.version},
        EXPIRES: None if stored.expires is None else number(stored.expires),
        OWNER: None if stored.owner is None else {"S": stored.owner},
    }
    return {name: value for name, value in members.items() if value is not None}


def stored(found: Item | None, now: float) -> Stored | None:
    """The record in an item; None for one that has expired, which DynamoDB deletes days later, and for a counter."""
    if not found or RECORD not in found:
        return None
    expires = int(found[EXPIRES]["N"]) if EXPIRES in found else None
    if expires is not None and expires <= now:
        return None
    owner = found[OWNER]["S"] if OWNER in found else None
    return Stored(found[KEY]["S"], bytes(found[RECORD]["B"]), found[VERSION]["S"], expires, owner)


def number(value: float) -> Mapping[str, str]:
    """A number of seconds or events as DynamoDB writes it."""
    return {"N": str(int(value))}


def get(key: str, consistent: bool) -> dict[str, Any]:
    """GetItem."""
    return {"Key": {KEY: {"S": key}}, "ConsistentRead": consistent}


def insert(record: Stored, now: float) -> dict[str, Any]:
    """PutItem where there is no such key, or only an expired one."""
    return {
        "Item": item(record),
        "ConditionExpression": _ABSENT,
        "ExpressionAttributeNames": {"#key": KEY, "#expires": EXPIRES},
        "ExpressionAttributeValues": {":now": number(now)},
    }


def replace(record: Stored, seen: str, now: float) -> dict[str, Any]:
    """PutItem where the version is still the one that was seen."""
    return {
        "Item": item(record),
        "ConditionExpression": _SEEN,
        "ExpressionAttributeNames": {"#version": VERSION, "#expires": EXPIRES},
        "ExpressionAttributeValues": {":seen": {"S": seen}, ":now": number(now)},
    }


def owned(owner: str, after: str | None, limit: int) -> dict[str, Any]:
    """Query on the index, in the order of the keys."""
    behind = {":after": {"S": after}} if after else {}
    return {
        "IndexName": BY_OWNER,
        "KeyConditionExpression": "#owner = :owner AND #key > :after" if after else "#owner = :owner",
        "ExpressionAttributeNames": {"#owner": OWNER} | ({"#key": KEY} if after else {}),
        "ExpressionAttributeValues": {":owner": {"S": owner}, **behind},
        "Limit": limit,
    }


def count_on(counter: str, n: int, expires: int, now: float) -> dict[str, Any]:
    """UpdateItem that adds to a counter which is new, or has not ended."""
    return {
        "Key": {KEY: {"S": COUNTER + counter}},
        "UpdateExpression": "SET #expires = if_not_exists(#expires, :expires) ADD #count :n",
        "ConditionExpression": _GOES_ON,
        "ExpressionAttributeNames": {"#key": KEY, "#expires": EXPIRES, "#count": COUNT},
        "ExpressionAttributeValues": {":n": number(n), ":expires": number(expires), ":now": number(now)},
        "ReturnValues": "ALL_NEW",
    }


def count_anew(counter: str, n: int, expires: int, now: float) -> dict[str, Any]:
    """PutItem in the place of a counter that has ended."""
    return {
        "Item": {KEY: {"S": COUNTER + counter}, COUNT: number(n), EXPIRES: number(expires)},
        "ConditionExpression": _ABSENT,
        "ExpressionAttributeNames": {"#key": KEY, "#expires": EXPIRES},
        "ExpressionAttributeValues": {":now": number(now)},
    }
