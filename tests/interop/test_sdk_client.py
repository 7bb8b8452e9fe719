"""The MCP Python SDK's own OAuth client, given a URL and a person, calls a tool."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio.to_thread
import httpx2
import pytest
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

from tests.support.client_documents import ClientDocuments
from tests.support.gate import PATIENCE
from tests.support.oauth_service import CALLBACK, Service
from tests.support.sdk_storage import Storage

pytestmark = [pytest.mark.interop, pytest.mark.anyio]


class Visit:
    """Opens what the client shows, and keeps the answer until the client asks for it."""

    def __init__(self, server: Service) -> None:
        self._server = server
        self._answer = ""
        self.asked: list[dict[str, list[str]]] = []

    async def open(self, url: str) -> None:
        self.asked.append(parse_qs(urlsplit(url).query))
        with self._server.person() as person:
            self._answer = await anyio.to_thread.run_sync(person.answer, url)

    async def answer(self) -> AuthorizationCodeResult:
        parameters = {name: values[0] for name, values in parse_qs(urlsplit(self._answer).query).items()}
        return AuthorizationCodeResult(code=parameters["code"], state=parameters["state"], iss=parameters["iss"])


def provider(server: Service, storage: Storage, visit: Visit, **more: Any) -> OAuthClientProvider:
    metadata = OAuthClientMetadata(client_name="The SDK", redirect_uris=[CALLBACK], token_endpoint_auth_method="none")
    return OAuthClientProvider(server.mcp, metadata, storage, visit.open, visit.answer, **more)


async def echoed(server: Service, auth: httpx2.Auth, mode: str) -> str:
    async with (
        httpx2.AsyncClient(auth=auth, trust_env=False, timeout=PATIENCE) as http,
        Client(streamable_http_client(server.mcp, http_client=http), mode=mode) as client,
    ):
        text: str = (await client.call_tool("echo", {"message": "signed in"})).content[0].text
        return text


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_it_registers_itself(server: Service, mode: str) -> None:
    storage, visit = Storage(), Visit(server)
    assert await echoed(server, provider(server, storage, visit), mode) == "signed in"
    assert storage.client is not None
    assert visit.asked[0]["client_id"] == [storage.client.client_id]
    assert visit.asked[0]["resource"] == [server.mcp]


async def test_it_was_registered_before(server: Service) -> None:
    known = server.register("none")
    storage = Storage(OAuthClientInformationFull(redirect_uris=[CALLBACK], token_endpoint_auth_method="none", **known))
    visit = Visit(server)
    assert await echoed(server, provider(server, storage, visit), "2026-07-28") == "signed in"
    assert visit.asked[0]["client_id"] == [known["client_id"]]


async def test_it_is_known_by_its_metadata_document(server: Service, site: ClientDocuments) -> None:
    document = site.publish("/sdk/client.json", redirect_uris=[CALLBACK])
    visit = Visit(server)
    auth = provider(server, Storage(), visit, client_metadata_url=document)
    assert await echoed(server, auth, "2026-07-28") == "signed in"
    assert visit.asked[0]["client_id"] == [document]
    assert site.requests[-1][0] == "/sdk/client.json"


async def test_it_signs_in_once_and_refreshes_after_that(server: Service) -> None:
    storage, visit = Storage(), Visit(server)
    auth = provider(server, storage, visit)
    await echoed(server, auth, "2026-07-28")
    first = storage.tokens
    auth.context.token_expiry_time = 1  # as if an hour had passed
    assert await echoed(server, auth, "2026-07-28") == "signed in"
    assert len(visit.asked) == 1
    assert first is not None
    assert storage.tokens is not None
    assert storage.tokens.refresh_token not in {None, first.refresh_token}


async def test_it_acts_for_itself(server: Service) -> None:
    known = server.register("client_credentials")
    auth = ClientCredentialsOAuthProvider(server.mcp, Storage(), **known, scope="mcp.tools", issuer=server.url)
    assert await echoed(server, auth, "2026-07-28") == "signed in"
