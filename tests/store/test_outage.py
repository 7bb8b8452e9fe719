"""What clients see while the store does not answer: 503, when to come back, and their grants afterwards."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from store.dynamodb_client import Timeouts
from store.sqlite import SqliteStore
from tests.support.auth_server import Clock, auth_server
from tests.support.granting import Dance, new_dance
from tests.support.store_faults import (
    FaultyDynamo,
    answer_cut,
    answer_lost,
    failing,
    faulty_dynamodb,
    hanging,
    refused,
    throttled,
)


@pytest.fixture
def dynamo() -> Iterator[FaultyDynamo]:
    with faulty_dynamodb() as made:
        yield made


@pytest.fixture
def dance(dynamo, tmp_path) -> Iterator[Dance]:
    clock = Clock()
    with auth_server(tmp_path, clock=clock, store=dynamo.store(clock, Timeouts(read=0.5))) as auth:
        yield new_dance(auth)


def unavailable(reply) -> bool:
    assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
    assert reply.headers["cache-control"] == "no-store"
    return int(reply.headers["retry-after"]) > 0


@pytest.mark.parametrize("fault", [refused, throttled, failing, hanging, answer_cut], ids=lambda fault: fault.__name__)
def test_a_refresh_while_dynamodb_does_not_answer_is_503_and_works_later(dynamo, dance, fault):
    token = dance.tokens()["refresh_token"]
    with dynamo.broken(fault):
        assert unavailable(dance.refresh(token))
    assert dance.refreshed(token)


def test_a_refresh_whose_rotation_nobody_confirmed_is_503_and_gets_the_same_token_later(dynamo, dance):
    token = dance.tokens()["refresh_token"]
    dynamo.once(answer_lost, "PutItem", times=3)
    assert unavailable(dance.refresh(token))
    assert dance.grant(token).generation == 1
    current = dance.refreshed(token)
    assert dance.grant(token).generation == 1
    assert dance.refreshed(current) != current


def test_a_rotation_whose_answer_was_lost_once_is_answered(dynamo, dance):
    token = dance.tokens()["refresh_token"]
    dynamo.once(answer_lost, "PutItem")
    current = dance.refreshed(token)
    assert dance.grant(token).generation == 1
    assert dance.refreshed(current) != current


def test_a_code_whose_redemption_met_a_fault_before_the_write_is_good_later(dynamo, dance):
    code = dance.code()
    dynamo.once(failing, "PutItem", times=3)
    assert unavailable(dance.redeem(code))
    assert dance.redeem(code).status_code == 200


def test_a_refresh_while_the_sqlite_file_is_held_or_gone_is_503_and_works_later(tmp_path):
    clock = Clock()
    path = tmp_path / "auth.db"
    with auth_server(tmp_path, clock=clock, store=SqliteStore(path, clock, busy=0.05)) as auth:
        dance = new_dance(auth)
        token = dance.tokens()["refresh_token"]
        with closing(sqlite3.connect(path, isolation_level=None)) as another:
            another.execute("BEGIN IMMEDIATE")
            assert unavailable(dance.refresh(token))
        path.rename(tmp_path / "moved.db")
        assert unavailable(dance.refresh(token))
        (tmp_path / "moved.db").rename(path)
        assert dance.refreshed(token)
