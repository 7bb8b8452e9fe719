"""DynamoDB on loopback: the table as the template declares it, and whoever serves it."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from store.dynamodb import DynamoStore
from store.dynamodb_client import Timeouts
from store.dynamodb_items import BY_OWNER, KEY, OWNER
from tests.support.aws import CREDENTIALS, REGION

PATIENT = Timeouts(connect=10, read=30)
"""For a busy machine: a write that is repeated, since its answer was slow to come, counts twice."""

SCHEMA: dict[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": KEY, "AttributeType": "S"},
        {"AttributeName": OWNER, "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": BY_OWNER,
            "KeySchema": [
                {"AttributeName": OWNER, "KeyType": "HASH"},
                {"AttributeName": KEY, "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}


@dataclass
class Dynamo:
    """A table, and where it is served."""

    url: str
    table: str

    @property
    def environment(self) -> dict[str, str]:
        """What another process needs to find it."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL_DYNAMODB": self.url, "AWS_DEFAULT_REGION": REGION}

    def store(self, clock: Callable[[], float] = time.time, timeouts: Timeouts = PATIENT) -> DynamoStore:
        """A store on the table, in this process."""
        return DynamoStore(self.table, clock, endpoint_url=self.url, region=REGION, timeouts=timeouts)


@contextmanager
def client(url: str) -> Iterator[Any]:
    """botocore's own client, to see what is in the table."""
    made = _session().create_client("dynamodb", region_name=REGION, endpoint_url=url)
    try:
        yield made
    finally:
        made.close()


@cache
def _session() -> Any:
    """One for all clients: each reads DynamoDB's model anew, which takes longer than most tests."""
    import botocore.session

    return botocore.session.get_session()


@contextmanager
def credentials() -> Iterator[None]:
    """AWS credentials in this process's environment that open nothing; botocore signs nothing without any."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
            monkeypatch.delenv(name, raising=False)
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        yield


def create_table(url: str, schema: dict[str, Any] = SCHEMA) -> Dynamo:
    """A new, empty table of a name that nobody else has."""
    name = f"auth-{secrets.token_hex(8)}"
    with client(url) as made:
        made.create_table(TableName=name, **schema)
    return Dynamo(url, name)
