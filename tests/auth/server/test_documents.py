import contextlib
import http.server
import inspect
import json
import threading
from collections.abc import Iterator
from functools import partial

import anyio
import anyio.to_thread
import pytest

from auth.server.addresses import Address, NotPublicError, public_addresses
from auth.server.document_fetch import LARGEST
from auth.server.documents import (
    FAILURE_KEPT,
    FETCHES,
    FETCHES_PER_HOST,
    LONGEST_KEPT,
    MOST_KEPT,
    SHORTEST_KEPT,
    DocumentError,
    Documents,
    document_url,
)
from tests.support.auth_server import START, Clock
from tests.support.client_documents import ClientDocuments, answer, certificates, client_documents, document, injected
from tests.support.gate import PATIENCE

pytestmark = pytest.mark.anyio

NOT_FETCHED = "The client's metadata document could not be fetched."


@pytest.fixture
def site(tmp_path) -> Iterator[ClientDocuments]:
    with client_documents(tmp_path) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextlib.contextmanager
def refused(description: str) -> Iterator[None]:
    with pytest.raises(DocumentError) as refusal:
        yield
    assert refusal.value.description == description


async def test_a_client_is_what_its_document_says(site, clock):
    url = site.publish(client_name="Claude", client_uri="https://claude.ai", scope="mcp.read")
    client = await site.documents(clock).get(url)
    assert (client.id, client.name, client.source, client.uri) == (url, "Claude", "document", "https://claude.ai")
    assert client.redirect_uris == ("http://127.0.0.1/callback",)
    assert client.grant_types == ("authorization_code", "refresh_token")
    assert (client.scopes, client.auth_method, client.secret_hash) == (("mcp.read",), "none", None)
    assert (client.application_type, client.created) == ("native", START)


async def test_a_document_without_a_name_is_known_by_its_host(site):
    assert (await site.documents().get(site.publish(client_name=None))).name == "client.example"


async def test_the_fetch_carries_nothing_of_ours(site, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await site.documents().get(site.publish())
    [(path, headers)] = site.requests
    assert path == "/oauth/client.json"
    assert set(headers) == {"host", "accept", "accept-encoding", "user-agent"}
    assert headers["host"] == "client.example"


@pytest.mark.parametrize(
    "url",
    [
        "http://client.example/oauth/client.json",
        "HTTPS://client.example/oauth/client.json",
        "https://client.example",
        "https://client.example/",
        "https://client.example:443/client.json",
        "https://client.example:8443/client.json",
        "https://user@client.example/client.json",
        "https://user:secret@client.example/client.json",
        "https://client.example/client.json#part",
        "https://client.example/a/../client.json",
        "https://client.example/a/%2e%2E/client.json",
        "https://client.example/a%2f..%2fclient.json",
        "https://client.example/./client.json",
        "https://client.example\\@evil.example/client.json",
        "https://client.example/client .json",
        "https://client.example/client\n.json",
        "https://Client.example/client.json",
        "https://clíent.example/client.json",
        "https://client.example./client.json",
        "https://localhost/client.json",
        "https://metadata/client.json",
        "https://127.0.0.1/client.json",
        "https://127.1/client.json",
        "https://0x7f.0.0.1/client.json",
        "https://2130706433/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/client.json",
        "https://[fd00:ec2::254]/client.json",
        "https:///client.json",
        "https:client.example/client.json",
        "//client.example/client.json",
        "ftp://client.example/client.json",
        "javascript:alert(1)//client.example/client.json",
        f"https://client.example/{'a' * 500}",
        "client.json",
        "",
    ],
)
async def test_must_not_13_a_document_is_fetched_by_a_plain_https_url_only(site, url):
    assert document_url(url) is None
    with refused("The client_id is not the URL of a metadata document."):
        await site.documents().get(url)
    assert site.connections == 0


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "fd00:ec2::254",
        "fe80::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
async def test_must_not_13_a_document_is_not_fetched_from_a_private_address(site, address):
    async def resolve(host, port):
        answers = [(0, 0, 0, "", ("8.8.8.8", port)), (0, 0, 0, "", (address, port))]
        await public_addresses(host, port, lookup=lambda _host, _port: answers)
        return [Address("127.0.0.1", site.port)]

    with refused(NOT_FETCHED):
        await site.documents(resolver=resolve).get(site.publish())
    assert site.connections == 0


def test_must_not_13_the_guard_stands_wherever_no_resolver_is_injected():
    assert inspect.signature(Documents).parameters["resolver"].default is public_addresses


async def test_must_not_13_a_name_is_resolved_once_and_the_connection_goes_there(site):
    asked = []

    async def rebinding(host, port):
        asked.append((host, port))
        return [Address("127.0.0.1", site.port)] if len(asked) == 1 else [Address("127.0.0.1", 9)]

    await site.documents(resolver=rebinding).get(site.publish())
    assert asked == [("client.example", 443)]
    assert site.connections == 1


async def test_an_address_that_does_not_answer_is_followed_by_the_next(site):
    async def resolve(host, port):
        return [Address("127.0.0.1", 9), Address("127.0.0.1", site.port)]

    assert (await site.documents(resolver=resolve).get(site.publish())).name == "An app"


async def test_addresses_that_do_not_answer_give_no_document(site):
    async def resolve(host, port):
        return [Address("127.0.0.1", 9)]

    async def nothing(host, port):
        return []

    for resolver in (resolve, nothing):
        with refused(NOT_FETCHED):
            await site.documents(resolver=resolver).get(site.publish())


async def test_must_not_13_a_redirect_is_not_followed(site):
    target = site.publish("/elsewhere.json")
    for status in (301, 302, 303, 307, 308):
        path = f"/{status}.json"
        site.answers[path] = answer(document(site.url(path)), status, location=target)
        with refused(NOT_FETCHED):
            await site.documents().get(site.url(path))
    assert "/elsewhere.json" not in [path for path, _ in site.requests]


@pytest.mark.parametrize("status", [201, 204, 206, 304, 403, 404, 500])
async def test_any_status_but_200_is_no_document(site, status):
    site.answers["/a.json"] = answer(document(site.url("/a.json")), status)
    with refused(NOT_FETCHED):
        await site.documents().get(site.url("/a.json"))


async def test_must_not_13_a_document_has_a_largest_size(site):
    site.answers["/fits.json"] = answer(_padded(site.url("/fits.json"), LARGEST))
    site.answers["/large.json"] = answer(_padded(site.url("/large.json"), LARGEST + 1))
    assert await site.documents().get(site.url("/fits.json"))
    with refused(NOT_FETCHED):
        await site.documents().get(site.url("/large.json"))


async def test_must_not_13_an_endless_document_is_not_read_on(site):
    ended = threading.Event()

    def flow(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("content-type", "application/json")
        request.end_headers()
        with contextlib.suppress(OSError):
            while True:
                request.wfile.write(b" " * 4096)
        ended.set()

    site.answers["/a.json"] = flow
    with refused(NOT_FETCHED):
        await site.documents().get(site.url("/a.json"))
    assert await anyio.to_thread.run_sync(ended.wait, PATIENCE)


@pytest.mark.parametrize("part", ["resolver", "head", "body"])
async def test_must_not_13_a_document_has_a_time_limit(site, part):
    release = threading.Event()

    def hang(request: http.server.BaseHTTPRequestHandler) -> None:
        if part == "body":
            request.send_response(200)
            request.send_header("content-type", "application/json")
            request.end_headers()
            request.wfile.flush()
        release.wait(PATIENCE)

    async def resolve(host, port):
        if part == "resolver":
            await anyio.sleep_forever()
        return [Address("127.0.0.1", site.port)]

    site.answers["/a.json"] = hang
    try:
        with refused(NOT_FETCHED):
            await site.documents(resolver=resolve, seconds=0.3).get(site.url("/a.json"))
    finally:
        release.set()


async def test_the_time_limit_is_three_seconds_by_default():
    limits = []

    async def resolve(host, port):
        limits.append(anyio.current_effective_deadline() - anyio.current_time())
        raise NotPublicError

    with refused(NOT_FETCHED):
        await Documents(resolver=resolve).get("https://client.example/a.json")
    assert 2 < limits[0] <= 3


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/javascript", "application/jsonp", "", "json"])
async def test_a_document_is_json_by_its_content_type(site, kind):
    site.answers["/a.json"] = answer(document(site.url("/a.json")), content_type=kind)
    with refused(NOT_FETCHED):
        await site.documents().get(site.url("/a.json"))


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/cimd+json"]
)
async def test_json_may_be_called_by_its_names(site, kind):
    site.answers["/a.json"] = answer(document(site.url("/a.json")), content_type=kind)
    assert await site.documents().get(site.url("/a.json"))


async def test_an_encoded_document_is_not_unpacked(site):
    site.answers["/a.json"] = answer(document(site.url("/a.json")), content_encoding="gzip")
    with refused(NOT_FETCHED):
        await site.documents().get(site.url("/a.json"))


async def test_must_not_13_a_certificate_for_another_name_is_not_trusted(tmp_path):
    with client_documents(tmp_path, host="other.example") as site:
        with refused(NOT_FETCHED):
            await site.documents().get(site.publish())
        assert site.requests == []


async def test_must_not_13_a_certificate_of_a_stranger_is_not_trusted(site):
    stranger, _ = certificates("client.example")
    with refused(NOT_FETCHED):
        await injected(site.port, stranger).get(site.publish())
    assert site.requests == []


async def test_must_not_13_the_systems_authorities_are_trusted_and_no_other(site):
    async def resolve(host, port):
        return [Address("127.0.0.1", site.port)]

    with refused(NOT_FETCHED):
        await Documents(resolver=resolve, seconds=PATIENCE).get(site.publish())
    assert site.connections == 1
    assert site.requests == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is not a JSON object"),
        (b"[]", "is not a JSON object"),
        (b"\xff\xfe", "is not a JSON object"),
        (b'{"client_id": NaN}', "is not a JSON object"),
        (b'{"client_id": "a", "client_id": "b"}', "is not a JSON object"),
        (b'{"client_name": "\\ud800"}', "is not a JSON object"),
        (b"[" * 9000, "is not a JSON object"),
        (b"{}", "has another client_id than its own URL"),
        (b'{"client_id": ["https://client.example/a.json"]}', "has another client_id than its own URL"),
        (b'{"client_id": "https://client.example/A.json"}', "has another client_id than its own URL"),
        (b'{"client_id": "https://client.example/a.json/"}', "has another client_id than its own URL"),
    ],
)
async def test_a_document_must_be_of_its_own_url(site, body, why):
    site.answers["/a.json"] = answer(body)
    with refused(f"The client's metadata document {why}."):
        await site.documents().get(site.url("/a.json"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"redirect_uris": None}, "redirect_uris must hold 1 to 10 URIs."),
        ({"redirect_uris": ["javascript:alert(1)"]}, "A redirect URI has a scheme that is neither https nor"),
        ({"redirect_uris": ["http://app.example/cb"]}, "A redirect URI uses http for a host other than"),
        ({"grant_types": ["client_credentials"]}, "grant_types must hold authorization_code."),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method must be none here."),
        ({"token_endpoint_auth_method": "client_secret_post"}, "token_endpoint_auth_method must be none here."),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method must be none here."),
    ],
)
async def test_a_document_that_no_client_may_have_is_refused_with_the_reason(site, changes, why):
    url = site.publish(**changes)
    with pytest.raises(DocumentError) as refusal:
        await site.documents().get(url)
    assert refusal.value.description.startswith(f"The client's metadata document is not valid. {why}")


@pytest.mark.parametrize("member", ["client_secret", "client_secret_expires_at"])
async def test_a_document_holds_no_secret(site, member):
    url = site.publish(**{member: "hush"})
    with refused("The client's metadata document holds a client secret."):
        await site.documents().get(url)


PUBLISHED = {
    "ChatGPT": {
        "redirect_uris": ["https://chatgpt.com/connector_platform_oauth_redirect"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "token_endpoint_auth_signing_alg": "RS256",
        "jwks_uri": "https://chatgpt.com/oauth/jwks.json",
    },
    "Claude": {
        "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
    },
    "Visual Studio Code": {
        "redirect_uris": ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "application_type": "native",
    },
    "Codex": {"redirect_uris": ["http://127.0.0.1/callback", "http://localhost/callback"]},
}
"""What these clients' own documents say where they differ from the plain one."""


@pytest.mark.parametrize("name", PUBLISHED)
async def test_the_documents_that_clients_publish_are_taken(site, name):
    published = PUBLISHED[name]
    client = await site.documents().get(site.publish(client_name=name, **published))
    assert (client.name, list(client.redirect_uris)) == (name, published["redirect_uris"])
    assert (client.auth_method, client.confidential) == ("none", False)
    assert client.grant_types == ("authorization_code", "refresh_token")


async def test_a_symmetric_method_is_refused_whatever_else_is_listed(site):
    url = site.publish(token_endpoint_auth_method="client_secret_basic", token_endpoint_auth_methods_supported=["none"])
    with refused("The client's metadata document is not valid. token_endpoint_auth_method must be none here."):
        await site.documents().get(url)


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({}, SHORTEST_KEPT),
        ({"cache_control": "max-age=1"}, SHORTEST_KEPT),
        ({"cache_control": "no-store"}, SHORTEST_KEPT),
        ({"cache_control": "public, max-age=3600"}, 3600),
        ({"cache_control": "max-age=999999999"}, LONGEST_KEPT),
        ({"cache_control": "max-age=99999999999999999999"}, SHORTEST_KEPT),
        ({"cache_control": "s-maxage=3600"}, SHORTEST_KEPT),
    ],
)
async def test_a_good_document_is_kept_for_as_long_as_it_may(site, clock, headers, kept):
    site.answers["/a.json"] = answer(document(site.url("/a.json")), **headers)
    documents = site.documents(clock)
    client = await documents.get(site.url("/a.json"))
    clock.advance(kept - 1)
    assert documents.cached(site.url("/a.json")) == client == await documents.get(site.url("/a.json"))
    assert len(site.requests) == 1
    clock.advance(1)
    assert documents.cached(site.url("/a.json")) is None
    await documents.get(site.url("/a.json"))
    assert len(site.requests) == 2


@pytest.mark.parametrize("bad", [answer(b"{}", 200, cache_control="max-age=86400"), answer(b"", 500)])
async def test_must_not_13_what_is_wrong_is_never_kept_as_good(site, clock, bad):
    documents, url = site.documents(clock), site.publish("/a.json")
    site.answers["/a.json"] = bad
    for _ in range(3):
        with pytest.raises(DocumentError):
            await documents.get(url)
    assert documents.cached(url) is None
    assert len(site.requests) == 1
    site.publish("/a.json")
    clock.advance(FAILURE_KEPT)
    assert (await documents.get(url)).name == "An app"


async def test_a_document_that_went_bad_is_not_replaced_by_the_old_one(site, clock):
    documents, url = site.documents(clock), site.publish("/a.json")
    await documents.get(url)
    site.answers["/a.json"] = answer(b"{}")
    clock.advance(SHORTEST_KEPT)
    with pytest.raises(DocumentError):
        await documents.get(url)


async def test_a_host_is_not_flooded(site, clock):
    clock.advance(-clock.now % 60)
    documents = site.documents(clock)
    for number in range(FETCHES_PER_HOST):
        with refused(NOT_FETCHED):
            await documents.get(site.url(f"/{number}.json"))
    with refused("Too many metadata documents are being asked for. Try again in a minute."):
        await documents.get(site.url("/more.json"))
    assert len(site.requests) == FETCHES_PER_HOST
    clock.advance(60)
    assert await documents.get(site.publish("/more.json"))


async def test_the_world_is_not_flooded(clock):
    asked = []

    async def resolve(host, port):
        asked.append(host)
        raise NotPublicError

    clock.advance(-clock.now % 60)
    documents = Documents(resolver=resolve, clock=clock)
    for number in range(FETCHES + 1):
        with pytest.raises(DocumentError):
            await documents.get(f"https://host-{number}.example/a.json")
    assert len(asked) == FETCHES


async def test_names_that_nobody_answers_for_leave_threads_for_everybody_else(clock):
    over = threading.Event()

    def lookup(_host, _port):
        over.wait(PATIENCE)
        raise OSError

    documents = Documents(resolver=partial(public_addresses, lookup=lookup), clock=clock, seconds=PATIENCE)

    async def ask(number):
        with refused(NOT_FETCHED):
            await documents.get(f"https://client{number}.example/oauth/client.json")

    async with anyio.create_task_group() as group:
        for number in range(FETCHES):
            group.start_soon(ask, number)
        await anyio.wait_all_tasks_blocked()
        try:
            with anyio.fail_after(PATIENCE / 2):
                assert await anyio.to_thread.run_sync(int) == 0
        finally:
            over.set()


async def test_the_cache_is_bounded(site, clock):
    documents = site.documents(clock)
    first = site.publish("/first.json")
    site.answers["/first.json"] = answer(document(first), cache_control="max-age=86400")
    await documents.get(first)
    for number in range(MOST_KEPT):
        clock.advance(6)
        with pytest.raises(DocumentError):
            await documents.get(f"https://host-{number}.example/a.json")
    assert documents.cached(first) is None


async def test_those_who_ask_at_once_share_one_fetch(site):
    reached, release = threading.Event(), threading.Event()
    good = answer(document(site.url("/a.json")))

    def held(request: http.server.BaseHTTPRequestHandler) -> None:
        reached.set()
        release.wait(PATIENCE)
        good(request)

    site.answers["/a.json"] = held
    documents, clients = site.documents(), []

    async def ask() -> None:
        clients.append(await documents.get(site.url("/a.json")))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
        await anyio.to_thread.run_sync(reached.wait, PATIENCE)
        release.set()
    assert len(clients) == 5
    assert len(site.requests) == 1


async def test_one_who_waits_fetches_when_the_first_gives_up(site):
    reached, release = threading.Event(), threading.Event()
    good = answer(document(site.url("/a.json")))

    def held(request: http.server.BaseHTTPRequestHandler) -> None:
        if not reached.is_set():
            reached.set()
            release.wait(PATIENCE)
        good(request)

    site.answers["/a.json"] = held
    documents, clients = site.documents(), []

    async def ask() -> None:
        clients.append(await documents.get(site.url("/a.json")))

    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as first:

            async def give_up() -> None:
                await anyio.to_thread.run_sync(reached.wait, PATIENCE)
                group.start_soon(ask)
                first.cancel()

            group.start_soon(give_up)
            await documents.get(site.url("/a.json"))
    release.set()
    assert len(clients) == 1


async def test_must_not_21_a_refusal_says_nothing_of_the_url_and_the_answer(site):
    secret = "internal-host"
    reasons = []
    site.answers["/a.json"] = answer(secret.encode())
    bad_member = site.publish("/b.json", redirect_uris=[f"http://{secret}.example/"])
    for url in (f"https://{secret}.example/a.json", site.url("/a.json"), bad_member):
        with pytest.raises(DocumentError) as refusal:
            await site.documents().get(url)
        assert secret not in str(refusal.value)
        reasons.append(refusal.value.reason)
        assert refusal.value.__cause__ is None
    assert secret not in "".join(reasons)


def _padded(url: str, size: int) -> bytes:
    body = json.dumps(document(url)).encode()
    return body + b" " * (size - len(body))
