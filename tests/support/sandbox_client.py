"""The MCP SDK's own OAuth client, signing in at the sandbox as one of its people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

from tests.support.gate import PATIENCE
from tests.support.oauth_service import CALLBACK
from tests.support.person import forms
from tests.support.sdk_storage import Storage


class Visit:
    """Opens what the client shows, chooses somebody, and keeps the answer until the client asks for it.

    Attributes:
        opened: the URL that the client sent its user to.
        storage: where the client keeps its tokens.
    """

    def __init__(self, person: str) -> None:
        self._person = person
        self._answer: dict[str, str] = {}
        self.opened = ""
        self.storage = Storage()

    async def open(self, url: str) -> None:
        self.opened = url
        async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE) as browser:
            (form,) = forms((await browser.get(url)).text)
            reply = await browser.post(urljoin(url, form.action), data={**form.fields, "person": self._person})
        assert reply.headers["location"].startswith(CALLBACK)
        self._answer = {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["location"]).query).items()}

    async def answer(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=self._answer["code"], state=self._answer["state"], iss=None)


@asynccontextmanager
async def signed_in(url: str, person: str = "ann", mode: str = "2026-07-28") -> AsyncIterator[tuple[Client, Visit]]:
    """A client of the MCP server at a URL, which registers itself and sends its user to sign in."""
    visit = Visit(person)
    metadata = OAuthClientMetadata(client_name="The SDK", redirect_uris=[CALLBACK], token_endpoint_auth_method="none")
    auth = OAuthClientProvider(url, metadata, visit.storage, visit.open, visit.answer)
    async with (
        httpx2.AsyncClient(auth=auth, trust_env=False, timeout=PATIENCE) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client, visit
