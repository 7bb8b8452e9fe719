"""Who comes in with a token of our own authorization server, and who does not."""

import base64
import json

import pytest

from auth import records
from auth.principal import Principal
from auth.records import Grant, Revocation
from auth.server.config import Config
from auth.verify.authenticator import RefusedError
from auth.verify.liveness import FRESH
from auth.verify.local import LocalAuthenticator
from store.protocol import StoreUnavailableError
from store.sqlite import SqliteStore
from tests.support.ailing_store import AilingStore
from tests.support.auth_server import START, add_user, make_server, public_client

pytestmark = pytest.mark.anyio

ISSUER = "https://mcp.example"
GRANT = Grant("grant-1", "user-alice", 0, "app", "An app", ("mcp.read",), f"{ISSUER}/mcp", START, seed="5eed")


@pytest.fixture
async def store(tmp_path, clock):
    made = AilingStore(SqliteStore(tmp_path / "auth.db", clock))
    await add_user(made)
    await made.insert(records.grant_key(GRANT.id), records.encode(GRANT))
    yield made
    await made.aclose()


@pytest.fixture
def server(store, clock, events):
    return make_server(store, clock, config=Config(), events=events.append)


@pytest.fixture
def authenticator(server):
    return LocalAuthenticator(server, lambda scope: scope["issuer"])


async def issue(server, **changes):
    members = {"subject": "user-alice", "audience": f"{ISSUER}/mcp", "client_id": "app", "grant_id": GRANT.id}
    return await server.tokens.issue(
        **{"issuer": ISSUER, "scopes": ("mcp.read",), "now": START, "lifetime": 3600, **members, **changes}
    )


def request(token: str | None, query: bytes = b"", issuer: str = ISSUER):
    headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    return {"type": "http", "headers": headers, "query_string": query, "issuer": issuer}


async def refusal(authenticator, scope):
    with pytest.raises(RefusedError) as raised:
        await authenticator.authenticate(scope)
    return raised.value.error, raised.value.status, raised.value.description


async def test_a_token_lets_its_user_in_for_what_was_granted(authenticator, server):
    principal = await authenticator.authenticate(request(await issue(server)))
    assert principal == Principal("user-alice", "app", frozenset({"mcp.read"}))


async def test_a_client_comes_in_for_itself(authenticator, server, store):
    await store.insert(records.client_key("backend"), records.encode(public_client("backend")))
    token = await issue(server, subject="client:backend", client_id="backend", grant_id=None)
    assert await authenticator.authenticate(request(token)) == Principal(
        "client:backend", "backend", frozenset({"mcp.read"})
    )


@pytest.mark.parametrize("path", ["", "/mcp", "/sse"])
async def test_a_token_for_any_resource_of_the_server_is_good_at_all_of_them(authenticator, server, path):
    assert await authenticator.authenticate(request(await issue(server, audience=ISSUER + path)))


@pytest.mark.parametrize(
    "audience", ["https://other.example/mcp", "https://mcp.example.evil/mcp", f"{ISSUER}/", f"{ISSUER}/mcp/x", "mcp"]
)
async def test_06_a_token_for_another_resource_is_refused(authenticator, server, audience):
    refused = await refusal(authenticator, request(await issue(server, audience=audience)))
    assert refused == ("invalid_token", 401, "The access token is for another resource.")


async def test_14_a_token_of_another_issuer_is_refused(authenticator, server):
    token = await issue(server, issuer="https://other.example")
    assert (await refusal(authenticator, request(token)))[:2] == ("invalid_token", 401)


async def test_17_a_token_is_good_for_the_issuer_of_the_request_only(authenticator, server):
    token = await issue(server)
    await authenticator.authenticate(request(token))
    refused = await refusal(authenticator, request(token, issuer="https://other.example"))
    assert refused == ("invalid_token", 401, "The access token is from another issuer.")


async def test_without_a_token_nobody_is_blamed(authenticator, store):
    store.calls.clear()
    assert (await refusal(authenticator, request(None)))[:2] == (None, 401)
    assert store.calls == []


async def test_a_token_in_the_url_is_refused(authenticator, server):
    query = f"access_token={await issue(server)}".encode()
    assert (await refusal(authenticator, request(None, query)))[:2] == ("invalid_request", 400)


async def test_21_a_refusal_shows_nothing_of_the_token(authenticator, server):
    token = await issue(server)
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    for bad in (token[:-2], f"{header}.{payload}.", f"{header}.{payload[:-1]}.{signature}", signature):
        error, _, description = await refusal(authenticator, request(bad))
        assert error == "invalid_token"
        assert not [part for part in (header, payload, signature, claims["jti"]) if part in description]


async def test_bad_tokens_never_reach_the_grants(authenticator, server, store):
    store.calls.clear()
    await refusal(authenticator, request((await issue(server))[:-2]))
    await refusal(authenticator, request(await issue(server, audience="https://other.example")))
    assert store.calls == []


async def test_a_revoked_grant_closes_the_door_within_a_minute(authenticator, server, store, clock):
    scope = request(await issue(server))
    await authenticator.authenticate(scope)
    seen = await store.get(records.grant_key(GRANT.id))
    await store.replace(seen, records.encode(GRANT._replace(revoked=Revocation(START, "user"))))
    clock.advance(FRESH)
    assert await refusal(authenticator, scope) == (
        "invalid_token",
        401,
        "The access token was revoked. Sign in again.",
    )


async def test_a_thousand_calls_in_a_minute_read_the_store_once(authenticator, server, store, clock):
    scope = request(await issue(server))
    store.calls.clear()
    for _ in range(1000):
        await authenticator.authenticate(scope)
        clock.advance(FRESH / 1001)
    assert store.calls == [("get_many", "grant")]


async def test_a_store_that_is_down_is_no_reason_to_refuse_a_token(authenticator, server, store):
    token = await issue(server)
    store.down = True
    with pytest.raises(StoreUnavailableError):
        await authenticator.authenticate(request(token))
