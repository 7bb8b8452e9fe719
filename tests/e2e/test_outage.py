"""A store that fails under a whole server: every door says to come again, and everybody goes on afterwards."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from auth.verify.liveness import FRESH, STALE
from store.dynamodb_client import Timeouts
from store.sqlite import SqliteStore
from tests.support.auth_server import Clock
from tests.support.customer import BACKEND, Customer, good, shut, unavailable
from tests.support.dynamodb_proxy import Exchange, Fault, healthy
from tests.support.privileges import nobodys_folder
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
from tests.support.visitor import PASSWORD, Visitor, answer, authorization
from tests.support.whole_server import whole_server

ONCE = Timeouts(read=30, attempts=1)
"""Without botocore's own repetitions, and the pauses between them."""

SOON = Timeouts(read=1, attempts=1)
"""For who is kept waiting."""

ISSUER = "http://127.0.0.1:8000"
"""Of a server that starts anew, wherever it is served."""

READERS = {"authorize", "account", "introspect", "userinfo", "tool"}
"""The doors that write nothing."""


ALL = READERS | {"consent", "sign in", "disconnect", "code", "refresh", "client credentials", "revoke", "register"}

WRITERS = {
    "PutItem": {"consent", "sign in", "disconnect", "refresh", "revoke", "register"},
    "UpdateItem": {"sign in", "refresh", "client credentials", "register"},
}
"""The doors that need an answer to such a write."""


def only(fault: Fault, operation: str, key: str = "") -> Fault:
    """A fault in one kind of request, or in those of it for keys that begin so; the others are served."""

    def either(exchange: Exchange) -> None:
        meant = exchange.operation == operation and f'"{key}'.encode() in exchange.sent
        (fault if meant else healthy)(exchange)

    return either


@pytest.fixture(scope="module")
def dynamo() -> Iterator[FaultyDynamo]:
    with faulty_dynamodb() as made:
        yield made


@pytest.fixture
def customer(dynamo: FaultyDynamo, tmp_path: Path) -> Iterator[Customer]:
    clock = Clock()
    with whole_server(tmp_path, dynamo.another_table().store(clock, ONCE), clock) as auth:
        yield Customer(auth)


def goes_on(customer: Customer, refresh: str) -> None:
    """The grant of a refresh token gives tokens that call tools, again and again."""
    for _ in range(2):
        tokens = good(customer.refresh(refresh)).json()
        good(customer.call(tokens["access_token"]))
        refresh = tokens["refresh_token"]


def test_while_dynamodb_does_not_answer_every_door_is_503_and_what_was_held_is_good_afterwards(dynamo, customer):
    held, another = customer.held(), customer.tokens()["refresh_token"]
    doors = customer.doors(held)
    for fault in (refused, throttled, answer_cut):
        with dynamo.broken(fault):
            assert shut(doors) == doors.keys(), fault
    assert shut(doors) == set()
    goes_on(customer, held.refresh)
    goes_on(customer, another)
    assert not {"code_replayed", "refresh_token_reused", "sign_in_failed"} & set(customer.auth.names())


@pytest.mark.parametrize(
    ("operation", "key", "open_doors"),
    [
        ("GetItem", "", {"register", "tool"}),
        ("GetItem", "grant#", ALL - {"code", "refresh", "revoke", "disconnect"}),
        ("BatchGetItem", "", ALL - {"tool", "userinfo"}),
        ("PutItem", "", ALL - WRITERS["PutItem"] - {"code"}),
        ("UpdateItem", "", ALL - WRITERS["UpdateItem"] - {"code"}),
    ],
)
def test_a_dynamodb_that_serves_some_requests_only_leads_to_no_half_truths(
    dynamo, customer, operation, key, open_doors
):
    held = customer.held()
    doors = customer.doors(held)
    assert doors.keys() == ALL
    with dynamo.broken(only(failing, operation, key)):
        closed = shut(doors)
    assert ALL - closed == open_doors
    assert shut({name: doors[name] for name in closed}) == set()
    goes_on(customer, held.refresh)


def test_a_slow_dynamodb_is_waited_for_a_while_and_no_longer(dynamo, tmp_path):
    clock = Clock()
    with whole_server(tmp_path, dynamo.another_table().store(clock, SOON), clock) as auth:
        customer = Customer(auth)
        held = customer.held()
        doors = {name: knock for name, knock in customer.doors(held).items() if name in {"consent", "code", "tool"}}
        with dynamo.broken(hanging):
            assert shut(doors) == doors.keys()
        assert shut(doors) == set()
        goes_on(customer, held.refresh)


def test_a_tool_answers_for_five_minutes_while_dynamodb_does_not(dynamo, customer):
    tokens, clock = customer.tokens(), customer.auth.clock
    own = good(customer.post("/oauth/token", {"grant_type": "client_credentials"}, BACKEND)).json()["access_token"]
    held = (tokens["access_token"], own)
    assert all(good(customer.call(token)) for token in held)
    with dynamo.broken(refused):
        for seconds in (FRESH + 1, STALE - FRESH - 2):
            clock.advance(seconds)
            assert all(good(customer.call(token)) for token in held)
        clock.advance(1)
        assert all(unavailable(customer.call(token)) for token in held)
    clock.advance(STALE)
    assert all(good(customer.call(token)) for token in held)
    goes_on(customer, tokens["refresh_token"])


@pytest.mark.parametrize("operation", WRITERS)
def test_a_write_that_was_made_and_not_confirmed_costs_nobody_more_than_a_second_try(dynamo, customer, operation):
    held = customer.held()
    doors = customer.doors(held)
    del doors["code"]  # see below
    with dynamo.broken(only(answer_lost, operation)):
        closed = shut(doors)
    assert closed == WRITERS[operation]
    assert shut(doors) == set()
    good(customer.redeem(held.code))
    goes_on(customer, held.refresh)


def test_a_code_whose_redemption_was_not_confirmed_is_used_up_and_the_user_may_allow_it_again(dynamo, customer):
    held = customer.held()
    dynamo.once(answer_lost, "PutItem")
    assert unavailable(customer.redeem(held.code))
    again = customer.redeem(held.code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    goes_on(customer, customer.tokens()["refresh_token"])
    goes_on(customer, held.refresh)


def test_a_new_password_that_was_not_confirmed_is_the_password_and_locks_nobody_out(dynamo, customer):
    form = {"token": customer.account_token(), "action": "password", "current": PASSWORD}
    new = "a much better password"
    with dynamo.broken(refused):
        assert unavailable(customer.browser.post("/account", form | {"new": new, "repeated": new}))
    assert good(customer.browser.get("/account"))
    # The first write counts a try of the old one; the second is the change.
    dynamo.once(healthy, "PutItem")
    dynamo.once(answer_lost, "PutItem")
    assert unavailable(customer.browser.post("/account", form | {"new": new, "repeated": new}))
    visitor = Visitor(customer.auth)
    assert visitor.sign_in("alice", PASSWORD).status_code == 403
    assert visitor.sign_in("alice", new).status_code == 303
    assert answer(visitor.decide(authorization()))["code"]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program is writing, and takes its time."""
    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def moved(path: Path) -> Iterator[None]:
    """The file is not where it was."""
    path.rename(path.with_name("moved.db"))
    yield
    path.with_name("moved.db").rename(path)


@pytest.mark.parametrize(("fault", "open_doors"), [(locked, READERS), (moved, set())])
def test_while_the_sqlite_file_cannot_be_used_nothing_is_lost(tmp_path, fault, open_doors):
    clock, path = Clock(), tmp_path / "auth.db"
    with whole_server(tmp_path, SqliteStore(path, clock, busy=0.05), clock) as auth:
        customer = Customer(auth)
        held, another = customer.held(), customer.tokens()["refresh_token"]
        doors = customer.doors(held)
        with fault(path):
            assert shut(doors) == doors.keys() - open_doors
        assert shut(doors) == set()
        goes_on(customer, held.refresh)
        goes_on(customer, another)


def test_a_server_that_starts_while_the_sqlite_file_is_read_only_works_once_it_is_not():
    clock = Clock()
    with nobodys_folder() as folder:
        path = folder / "auth.db"
        with whole_server(folder, SqliteStore(path, clock), clock, public_url=ISSUER) as auth:
            customer = Customer(auth)
            held = customer.held()
        path.chmod(0o400)
        folder.chmod(0o500)
        with whole_server(folder, SqliteStore(path, clock, busy=0.05), clock, public_url=ISSUER) as again:
            customer.moves_to(again)
            doors = customer.doors(held)
            assert shut(doors) == doors.keys()
            folder.chmod(0o700)
            path.chmod(0o600)
            assert shut(doors) == set()
            goes_on(customer, held.refresh)
