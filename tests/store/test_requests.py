"""What each request of a client asks of the store, as the storage reference says it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from auth.records import encode
from auth.server.resources import resources
from tests.support.auth_server import Clock, Running, auth_server, confidential_client, public_client
from tests.support.granting import Dance, new_dance
from tests.support.store_faults import FaultyDynamo, faulty_dynamodb
from tests.support.tools import ROOT

REFERENCE = ROOT / "docs/reference/storage.md"


@pytest.fixture
def dynamo() -> Iterator[FaultyDynamo]:
    with faulty_dynamodb() as made:
        yield made


@pytest.fixture
def auth(dynamo, tmp_path) -> Iterator[Running]:
    clock = Clock()
    with auth_server(tmp_path, clock=clock, store=dynamo.store(clock)) as running:
        yield running


@pytest.fixture
def dance(auth) -> Dance:
    return new_dance(auth, public_client("0a" * 16))


def documented(request: str) -> Counter[str]:
    """The operations in the reference's row about a request."""
    (cell,) = re.findall(rf"^\| {re.escape(request)} \| ([^|]*) \|", REFERENCE.read_text(), re.MULTILINE)
    counted = re.findall(r"(\w+Item|Query)(?: \S (\d))?", cell)
    return Counter({name: int(times or 1) for name, times in counted})


@contextmanager
def asks_for(dynamo: FaultyDynamo, request: str) -> Iterator[None]:
    """What is done in the block asks for exactly what the reference says of such a request."""
    dynamo.proxy.operations.clear()
    yield
    assert Counter(dynamo.proxy.operations) == documented(request)


def alive(dance: Dance, token: str) -> Callable[[], bool]:
    server, clock = dance.auth.server, dance.auth.clock

    async def call() -> bool:
        audiences = resources(dance.auth.issuer)
        claims = await server.tokens.verify(token, issuer=dance.auth.issuer, audiences=audiences, now=clock())
        return await server.liveness.alive(claims.grant_id, claims.subject, claims.client_id, claims.expires)

    return lambda: dance.auth.call(call)


def test_a_call_reads_the_store_once_a_minute_for_each_grant(dynamo, dance):
    call = alive(dance, dance.tokens()["access_token"])
    with asks_for(dynamo, "a call with a user's token, the first in a minute"):
        assert call()
        dance.auth.clock.advance(59)
        assert call()
    dance.auth.clock.advance(1)
    with asks_for(dynamo, "a call with a user's token, the first in a minute"):
        assert call()
        assert call()


def test_a_call_of_a_client_reads_the_store_once_a_minute(dynamo, auth):
    dance = new_dance(auth, confidential_client())
    form = {"grant_type": "client_credentials"}
    dance.post(auth=("backend", "backend-secret"), **form)  # the client's first token is noted
    with asks_for(dynamo, "`POST /oauth/token`, client credentials"):
        reply = dance.post(auth=("backend", "backend-secret"), **form)
    call = alive(dance, reply.json()["access_token"])
    with asks_for(dynamo, "a call with a client's own token, the first in a minute"):
        assert call()
        assert call()


def test_a_code_costs_what_the_reference_says(dynamo, dance):
    dance.tokens()  # the client's first token is noted
    with asks_for(dynamo, "consent to a client"):
        code = dance.code()
    with asks_for(dynamo, "`POST /oauth/token`, code"):
        assert dance.redeem(code).status_code == 200


def test_a_refresh_costs_what_the_reference_says(dynamo, dance):
    first = dance.tokens()["refresh_token"]
    with asks_for(dynamo, "`POST /oauth/token`, refresh"):
        dance.refreshed(first)
    with asks_for(dynamo, "`POST /oauth/token`, refresh once more within the minute"):
        dance.refreshed(first)


def test_a_revocation_costs_what_the_reference_says(dynamo, dance):
    token = dance.tokens()["refresh_token"]
    with asks_for(dynamo, "`POST /oauth/revoke`"):
        assert dance.post("/oauth/revoke", token=token).status_code == 200


def test_a_registration_costs_what_the_reference_says(dynamo, auth):
    with asks_for(dynamo, "`POST /oauth/register`"):
        reply = auth.client.post("/oauth/register", json={"redirect_uris": ["https://app.example/callback"]})
    assert reply.status_code == 201


def test_signing_in_costs_what_the_reference_says(dynamo, auth):
    auth.call(auth.server.users.add, "alice", "correct horse battery staple")

    async def sign_in() -> None:
        await auth.server.limits.sign_in("alice", "192.0.2.1")
        user = await auth.server.users.sign_in("alice", "correct horse battery staple", public=True)
        await auth.server.sessions.open(user)

    with asks_for(dynamo, "signing in"):
        auth.call(sign_in)


def test_a_page_costs_what_the_reference_says(dynamo, auth):
    user = auth.user()
    cookie = auth.call(auth.server.sessions.open, user)
    with asks_for(dynamo, "a page for somebody who is signed in"):
        assert auth.call(auth.server.sessions.find, cookie) == user


def test_ordinary_records_fit_into_the_smallest_units(dance, auth):
    """DynamoDB bills reads by 4 KB and writes by 1 KB."""
    refresh = dance.tokens(resource=f"{auth.issuer}/mcp")["refresh_token"]
    for _ in range(8):
        auth.clock.advance(60)
        refresh = dance.refreshed(refresh)
    assert len(encode(dance.grant(refresh))) < 900
    assert len(encode(dance.user)) < 900
