import hashlib
from pathlib import Path

import pytest

from auth.records import client_key
from auth.server.clients import Clients
from auth.server.config import DAY, Config
from auth.server.documents import DocumentError, Documents
from auth.server.pinned import PINNED
from auth.server.redirect_uris import check
from store.sqlite import SqliteStore
from tests.support.auth_server import START, Clock
from tests.support.client_documents import client_documents

pytestmark = pytest.mark.anyio

CLAUDE = "https://claude.ai/oauth/mcp-oauth-client-metadata"
PUBLIC = {"redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none", "client_name": "An app"}
SECRET = {"redirect_uris": ["https://app.example/cb"], "client_name": "A backend"}


class Lagging:
    """A store whose eventually consistent reads do not see anything yet."""

    def __init__(self, store):
        self._store = store

    async def get(self, key, *, consistent=False):
        return await self._store.get(key, consistent=True) if consistent else None

    def __getattr__(self, name):
        return getattr(self._store, name)


class Numbers:
    """Randomness that can be told, and how much of it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, count):
        self.asked.append(count)
        return bytes([len(self.asked)]) * count


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(tmp_path, clock):
    made = SqliteStore(tmp_path / "auth.db", clock)
    yield made
    await made.aclose()


async def nowhere(host, port):
    raise AssertionError("nothing is to be fetched")


def clients(store, clock, *, documents=None, events=None, config=None):
    documents = documents or Documents(resolver=nowhere, clock=clock)
    seen = [] if events is None else events
    return Clients(store, documents, config or Config(), seen.append, clock=clock, randomness=Numbers())


async def test_a_client_that_registered_is_found(store, clock):
    known = clients(store, clock)
    client, secret = await known.register(PUBLIC, "192.0.2.1")
    assert secret is None
    assert (client.name, client.source, client.created, client.last_used) == ("An app", "dcr", START, None)
    assert await known.find(client.id, fetch=False) == client == await known.find(client.id, fetch=True)


async def test_must_not_10_ids_and_secrets_are_random_and_only_a_hash_is_kept(store, clock):
    known = clients(store, clock)
    client, secret = await known.register(SECRET, "192.0.2.1")
    assert sorted(known._randomness.asked) == [16, 32]
    assert len(client.id) == 32
    assert len(secret) == 43
    assert client.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    stored = await store.get(client_key(client.id))
    assert secret.encode() not in stored.record


async def test_must_not_10_no_secret_is_in_an_event(store, clock):
    events = []
    known = clients(store, clock, events=events)
    client, secret = await known.register(SECRET, "192.0.2.1")
    _, other_secret = await known.add(SECRET)
    await known.remove(client.id)
    assert [event.name for event in events] == ["client_registered", "client_added", "client_removed"]
    assert events[0].details == {"client_id": client.id, "address": "192.0.2.1"}
    for told in (secret, other_secret):
        assert told not in repr(events)


async def test_must_not_22_a_client_that_is_not_used_is_forgotten(store, clock):
    known = clients(store, clock)
    client, _ = await known.register(PUBLIC, "192.0.2.1")
    clock.advance(7 * DAY - 1)
    assert await known.find(client.id, fetch=False)
    clock.advance(1)
    assert await known.find(client.id, fetch=False) is None


async def test_a_client_that_was_used_is_never_forgotten(store, clock):
    known = clients(store, clock)
    client, _ = await known.register(PUBLIC, "192.0.2.1")
    clock.advance(DAY)
    await known.touch(client)
    clock.advance(1000 * DAY)
    assert (await known.find(client.id, fetch=False)).last_used == START + DAY


async def test_use_is_noted_once_a_day(store, clock):
    known = clients(store, clock)
    client, _ = await known.register(PUBLIC, "192.0.2.1")
    await known.touch(client)
    noted = await store.get(client_key(client.id))
    clock.advance(DAY - 1)
    await known.touch(client)
    await known.touch(await known.find(client.id, fetch=False))
    assert await store.get(client_key(client.id)) == noted
    clock.advance(1)
    await known.touch(await known.find(client.id, fetch=False))
    assert (await known.find(client.id, fetch=False)).last_used == START + DAY


async def test_a_client_that_was_removed_is_not_brought_back_by_its_use(store, clock):
    known = clients(store, clock)
    client, _ = await known.register(PUBLIC, "192.0.2.1")
    assert await known.remove(client.id)
    await known.touch(client)
    assert await known.find(client.id, fetch=False) is None
    assert not await known.remove(client.id)


async def test_the_use_of_a_client_that_is_not_stored_writes_nothing(store, clock):
    known = clients(store, clock)
    await known.touch(await known.find(CLAUDE, fetch=True))
    await known.touch(await known.find("https://client.example/a.json", fetch=False))
    assert await store.get(client_key(CLAUDE)) is None
    assert await known.list() == []


async def test_a_client_is_found_at_once_though_the_store_lags(store, clock):
    known = clients(Lagging(store), clock)
    client, _ = await known.register(PUBLIC, "192.0.2.1")
    assert await known.find(client.id, fetch=False) == client
    await known.touch(client)
    assert (await known.find(client.id, fetch=False)).last_used == START


async def test_the_operators_client_may_have_client_credentials_and_stays(store, clock):
    known = clients(store, clock)
    client, secret = await known.add({"grant_types": ["client_credentials"], "client_name": "Gateway"})
    assert (client.source, client.grant_types, client.confidential) == ("cli", ("client_credentials",), True)
    assert secret
    clock.advance(1000 * DAY)
    assert await known.find(client.id, fetch=False) == client


async def test_clients_are_listed_page_by_page(store, clock):
    known = clients(store, clock)
    made = sorted([(await known.register(PUBLIC, "192.0.2.1"))[0].id for _ in range(5)])
    assert [client.id for client in await known.list()] == made
    first = await known.list(limit=2)
    assert [client.id for client in first] == made[:2]
    assert [client.id for client in await known.list(after=first[-1].id)] == made[2:]


async def test_a_client_without_a_name_is_called_so(store, clock):
    client, _ = await clients(store, clock).register(PUBLIC | {"client_name": "\u200b"}, "192.0.2.1")
    assert client.name == "An app without a name"


@pytest.mark.parametrize(
    "client_id", ["", "no-such-client", "a" * 129, "a b", "a#b", "\x00", "ü", "http://a.example/c"]
)
async def test_an_unknown_id_is_no_client(store, clock, client_id):
    assert await clients(store, clock).find(client_id, fetch=True) is None


@pytest.mark.parametrize("client_id", ["https://a.example", "https://127.0.0.1/c", "https://a.example/../c"])
async def test_a_url_that_can_be_no_document_is_no_client(store, clock, client_id):
    assert await clients(store, clock).find(client_id, fetch=True) is None
    assert await clients(store, clock).find(client_id, fetch=False) is None


async def test_claude_needs_no_fetch(store, clock):
    known = clients(store, clock)
    claude = await known.find(CLAUDE, fetch=True)
    assert (claude.name, claude.source, claude.auth_method) == ("Claude", "pinned", "none")
    assert claude.redirect_uris == (
        "https://claude.ai/api/mcp/auth_callback",
        "https://claude.com/api/mcp/auth_callback",
    )
    code = await known.find("https://claude.ai/oauth/claude-code-client-metadata", fetch=True)
    assert (code.name, code.application_type) == ("Claude Code", "native")


@pytest.mark.parametrize("client", PINNED.values(), ids=lambda client: client.name)
def test_a_pinned_client_keeps_the_rules_that_others_must(client):
    for uri in client.redirect_uris:
        check(uri)


async def test_must_not_5_a_document_is_fetched_only_where_that_is_asked_for(tmp_path: Path, store, clock):
    with client_documents(tmp_path) as site:
        url = site.publish(client_name="By document")
        known = clients(store, clock, documents=site.documents(clock))
        before = await known.find(url, fetch=False)
        assert (before.id, before.source, before.redirect_uris, before.auth_method) == (url, "document", (), "none")
        assert site.connections == 0
        fetched = await known.find(url, fetch=True)
        assert (fetched.name, fetched.source) == ("By document", "document")
        assert await known.find(url, fetch=False) == fetched
        assert site.connections == 1
        assert await known.list() == []


async def test_a_document_that_cannot_be_had_is_an_error_for_the_user_to_read(tmp_path: Path, store, clock):
    with client_documents(tmp_path) as site:
        events = []
        known = clients(store, clock, documents=site.documents(clock), events=events)
        with pytest.raises(DocumentError):
            await known.find(site.url("/missing.json"), fetch=True)
    [event] = events
    assert event.name == "client_document_refused"
    assert event.details == {"host": "client.example", "reason": "status 404"}


async def test_an_id_that_exists_is_never_given_to_another_client(store, clock):
    client, _ = await clients(store, clock).register(PUBLIC, "192.0.2.1")
    known = clients(store, clock)
    with pytest.raises(RuntimeError):
        await known.register(PUBLIC | {"client_name": "Another"}, "192.0.2.1")
    assert await known.find(client.id, fetch=False) == client
