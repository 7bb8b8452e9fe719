"""The DynamoDB store's own ways: its items, and what happens when the service does not answer."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pytest

from store.dynamodb import DynamoStore
from store.dynamodb_client import Timeouts
from store.protocol import StoreUnavailableError
from tests.store.conftest import NOON
from tests.support.aws import REGION
from tests.support.command import environment
from tests.support.dynamodb import Dynamo, client
from tests.support.dynamodb_proxy import SECRET_MESSAGE, healthy
from tests.support.store_faults import (
    answer_cut,
    answer_lost,
    failing,
    faulty_dynamodb,
    forbidden,
    hanging,
    left_undone,
    refused,
    throttled,
    unwell,
)

pytestmark = pytest.mark.anyio

QUICK = Timeouts(connect=1, read=0.5)
SERVICE_FAULTS = (refused, throttled, failing, forbidden, unwell, hanging)


@pytest.fixture
def dynamo():
    with faulty_dynamodb() as made:
        yield made


@pytest.fixture
async def store(dynamo, clock):
    made = dynamo.store(clock)
    yield made
    await made.aclose()


@pytest.fixture
async def impatient(dynamo, clock):
    """A store for a service that hangs; where the service is merely slow, it may count twice."""
    made = dynamo.store(clock, QUICK)
    yield made
    await made.aclose()


@contextmanager
def unavailable(because: str = "") -> Iterator[None]:
    """What is tried in the block ends with the store's own error, which names neither table nor service nor account."""
    with pytest.raises(StoreUnavailableError) as raised:
        yield
    reason = str(raised.value)
    assert because in reason
    assert not any(part in reason for part in ("arn:", "http", "auth-", "127.0.0.1", SECRET_MESSAGE))
    assert raised.value.retry_after > 0
    assert raised.value.__cause__ is None


async def everything_that_a_store_does(store, seen):
    """Each operation, all of them at the same time; none may come to an end of its own."""

    async def refused_operation(operation, *arguments, **options):
        with unavailable():
            await operation(*arguments, **options)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(refused_operation, store.get, seen.key)
        tasks.start_soon(refused_operation, store.get_many, [seen.key, "user#2"])
        tasks.start_soon(refused_operation, store.insert, "user#3", b"new")
        tasks.start_soon(refused_operation, store.replace, seen, b"bob")
        tasks.start_soon(refused_operation, store.delete, seen.key)
        tasks.start_soon(refused_operation, store.list, "users")
        tasks.start_soon(lambda: refused_operation(store.add, "rate", 1, expires=NOON + 60))


@pytest.mark.parametrize("fault", SERVICE_FAULTS, ids=lambda fault: fault.__name__)
async def test_while_the_service_does_not_answer_nothing_is_said_or_lost(dynamo, store, impatient, fault):
    await store.insert("user#1", b"ann", owner="users")
    seen = await store.get("user#1", consistent=True)
    with dynamo.broken(fault):
        await everything_that_a_store_does(impatient, seen)
    assert await store.get("user#1", consistent=True) == seen
    assert await store.get("user#3", consistent=True) is None
    assert await store.add("rate", 1, expires=NOON + 60) == 1
    assert await store.replace(seen, b"ann, older")


@pytest.mark.parametrize("fault", [refused, hanging], ids=lambda fault: fault.__name__)
async def test_a_first_use_while_the_service_does_not_answer_works_later(dynamo, impatient, fault):
    with dynamo.broken(fault), unavailable():
        await impatient.get("user#1")
    assert await impatient.insert("user#1", b"ann")


async def test_a_throttled_table_wants_more_time_than_one_that_is_away(dynamo, store):
    async def retry_after(fault):
        with dynamo.broken(fault), pytest.raises(StoreUnavailableError) as raised:
            await store.get("user#1")
        return raised.value.retry_after

    assert await retry_after(throttled) > await retry_after(refused)


async def test_a_request_is_sent_three_times_at_most(dynamo, store):
    with dynamo.broken(failing), unavailable(because="InternalServerError"):
        await store.get("user#1")
    assert dynamo.proxy.operations == ["GetItem"] * 3


@pytest.mark.parametrize("fault", [throttled, failing, answer_lost, answer_cut], ids=lambda fault: fault.__name__)
async def test_a_passing_fault_is_not_noticed(dynamo, store, fault):
    await store.insert("user#1", b"ann")
    dynamo.once(fault, "GetItem", times=2)
    assert (await store.get("user#1")).record == b"ann"


async def test_a_write_whose_answer_was_lost_has_won(dynamo, store):
    dynamo.once(answer_lost, "PutItem")
    assert await store.insert("grant#1", b"generation 0", owner="grants")
    seen = await store.get("grant#1", consistent=True)
    dynamo.once(answer_lost, "PutItem", times=2)
    assert await store.replace(seen, b"generation 1")
    assert (await store.get("grant#1", consistent=True)).record == b"generation 1"
    assert not await store.replace(seen, b"generation 1, once more")


async def test_a_write_that_lost_stays_lost_when_its_answer_is(dynamo, store):
    await store.insert("grant#1", b"generation 0")
    seen = await store.get("grant#1", consistent=True)
    await store.replace(seen, b"generation 1")
    dynamo.once(answer_lost, "PutItem")
    assert not await store.replace(seen, b"another generation 1")
    dynamo.once(answer_lost, "PutItem")
    assert not await store.insert("grant#1", b"generation 0")
    assert (await store.get("grant#1", consistent=True)).record == b"generation 1"


async def test_a_write_that_was_written_over_before_its_answer_was_missed_has_lost(dynamo, store):
    await store.insert("grant#1", b"generation 0")
    seen = await store.get("grant#1", consistent=True)

    with client(dynamo.proxy.upstream) as real:

        def overtaken(exchange):
            answer_lost(exchange)
            item = {"key": {"S": "grant#1"}, "record": {"B": b"generation 2"}, "version": {"S": "another's"}}
            real.put_item(TableName=dynamo.table, Item=item)

        dynamo.once(overtaken, "PutItem")
        assert not await store.replace(seen, b"generation 1")
    assert (await store.get("grant#1", consistent=True)).record == b"generation 2"


@pytest.mark.parametrize("fault", [answer_lost, answer_cut], ids=lambda fault: fault.__name__)
async def test_whether_a_write_was_applied_is_open_when_no_answer_ever_comes(dynamo, store, fault):
    await store.insert("grant#1", b"generation 0")
    seen = await store.get("grant#1", consistent=True)
    with dynamo.broken(fault), unavailable():
        await store.replace(seen, b"generation 1")
    assert (await store.get("grant#1", consistent=True)).record == b"generation 1"


async def test_a_write_whose_outcome_cannot_be_read_is_open(dynamo, store):
    dynamo.once(answer_lost, "PutItem")
    dynamo.once(failing, "GetItem", times=3)
    with unavailable():
        await store.insert("grant#1", b"generation 0")
    assert not await store.insert("grant#1", b"generation 0")


async def test_a_broken_answer_is_never_taken_for_an_empty_one(dynamo, store):
    await store.insert("user#1", b"ann", owner="users")
    with dynamo.broken(answer_cut):
        with unavailable(because="broken"):
            await store.get("user#1")
        with unavailable(because="broken"):
            await store.get_many(["user#1"])
        with unavailable(because="broken"):
            await store.list("users")


async def test_a_counter_may_count_twice_but_never_too_little_when_an_answer_is_lost(dynamo, store):
    dynamo.once(answer_lost, "UpdateItem")
    assert await store.add("rate", 1, expires=NOON + 60) in {1, 2}
    assert await store.add("rate", 1, expires=NOON + 60) in {2, 3}


async def test_a_counter_that_others_begin_anew_all_the_time_is_given_up(dynamo, store):
    def overtaken(exchange):
        exchange.refuse(400, "ConditionalCheckFailedException")

    with dynamo.broken(overtaken), unavailable(because="busy"):
        await store.add("rate", 1, expires=NOON + 60)
    assert await store.add("rate", 1, expires=NOON + 60) == 1


async def test_keys_that_were_left_unread_are_asked_for_again(dynamo, store):
    await store.insert("user#1", b"ann")
    dynamo.once(left_undone, "BatchGetItem", times=2)
    assert (await store.get_many(["user#1"]))["user#1"].record == b"ann"
    with dynamo.broken(left_undone), unavailable(because="unread"):
        await store.get_many(["user#1"])


async def test_who_won_is_read_consistently(dynamo, store):
    asked = []

    def spied_on(exchange):
        asked.append(json.loads(exchange.sent)["ConsistentRead"])
        healthy(exchange)

    dynamo.once(answer_lost, "PutItem")
    dynamo.once(spied_on, "GetItem")
    assert await store.insert("grant#1", b"generation 0")
    assert asked == [True]


@pytest.mark.parametrize("consistent", [True, False])
async def test_a_read_is_consistent_only_where_that_was_asked_for(dynamo, store, consistent):
    asked = []

    def spied_on(exchange):
        asked.append(json.loads(exchange.sent)["ConsistentRead"])
        healthy(exchange)

    dynamo.once(spied_on, "GetItem")
    await store.get("user#1", consistent=consistent)
    assert asked == [consistent]


async def test_a_table_that_is_not_there_is_no_answer(dynamo, clock):
    store = Dynamo(dynamo.url, "auth-nowhere").store(clock)
    with unavailable(because="ResourceNotFoundException"):
        await store.get("user#1")
    await store.aclose()


async def test_without_credentials_or_region_there_is_no_answer(dynamo, clock, monkeypatch):
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    nowhere = DynamoStore(dynamo.table, clock, endpoint_url=dynamo.url)
    with unavailable(because="NoRegionError"):
        await nowhere.get("user#1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    nobody = dynamo.store(clock)
    with unavailable(because="NoCredentialsError"):
        await nobody.get("user#1")
    for store in (nowhere, nobody):
        await store.aclose()


async def test_the_services_url_may_come_from_the_environment(dynamo, clock, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamo.url)
    store = DynamoStore(dynamo.table, clock, region=REGION)
    assert await store.insert("user#1", b"ann")
    assert dynamo.proxy.operations == ["PutItem"]
    await store.aclose()


async def test_an_item_holds_what_the_storage_reference_says(dynamo, store):
    await store.insert("grant#1", b"x", expires=NOON + 60, owner="grants#ann")
    await store.insert("user#1", b"ann")
    await store.add("sign-ins", 2, expires=NOON + 60)
    version = (await store.get("grant#1", consistent=True)).version
    with client(dynamo.url) as real:
        items = {item["key"]["S"]: item for item in real.scan(TableName=dynamo.table)["Items"]}
    assert items["grant#1"] == {
        "key": {"S": "grant#1"},
        "record": {"B": b"x"},
        "version": {"S": version},
        "expires": {"N": str(NOON + 60)},
        "owner": {"S": "grants#ann"},
    }
    assert set(items["user#1"]) == {"key", "record", "version"}
    assert items["counter#sign-ins"] == {
        "key": {"S": "counter#sign-ins"},
        "count": {"N": "2"},
        "expires": {"N": str(NOON + 60)},
    }


def test_a_store_costs_nothing_before_its_first_use():
    program = """
import sys
from store.dynamodb import DynamoStore
DynamoStore("auth")
print([name for name in ("botocore", "boto3", "ssl") if name in sys.modules])
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
    )
    assert finished.stdout == "[]\n"
