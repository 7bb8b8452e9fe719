"""From a URL that somebody pasted to a tool call: an MCP client, a person at a browser, and the server as it ships."""

import asyncio
import queue
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio.to_thread
import httpx2
import pytest
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata
from playwright.sync_api import Browser, expect

from tests.support.browser import Watched, context
from tests.support.gate import PATIENCE
from tests.support.oauth_service import KINDS, Service, service
from tests.support.sdk_storage import Storage

pytestmark = pytest.mark.browser


class Handover:
    """Passes what the client wants opened to the person, and where the person ended up back to the client."""

    def __init__(self) -> None:
        self.urls: queue.Queue[str] = queue.Queue()
        self.answers: queue.Queue[str] = queue.Queue()

    async def open(self, url: str) -> None:
        self.urls.put(url)

    async def answer(self) -> AuthorizationCodeResult:
        url = await anyio.to_thread.run_sync(self.answers.get, True, PATIENCE)
        values = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        return AuthorizationCodeResult(code=values["code"], state=values["state"], iss=values["iss"])


async def echoed(server: Service, callback: str, handover: Handover) -> str:
    metadata = OAuthClientMetadata(client_name="Notebook", redirect_uris=[callback], token_endpoint_auth_method="none")
    auth = OAuthClientProvider(server.mcp, metadata, Storage(), handover.open, handover.answer)
    async with (
        httpx2.AsyncClient(auth=auth, trust_env=False, timeout=PATIENCE) as http,
        Client(streamable_http_client(server.mcp, http_client=http), mode="2026-07-28") as client,
    ):
        text: str = (await client.call_tool("echo", {"message": "signed in"})).content[0].text
        return text


@pytest.mark.parametrize("kind", KINDS)
def test_from_nothing_to_a_tool_call(browser: Browser, app: str, tmp_path: Path, kind: str) -> None:
    handover, callback = Handover(), f"{app}/callback"
    with service(kind, tmp_path) as server, ThreadPoolExecutor(1) as pool, context(browser) as profile:
        calling = pool.submit(asyncio.run, echoed(server, callback, handover))
        watched = Watched(profile.new_page())
        page = watched.page
        page.goto(handover.urls.get(timeout=PATIENCE))
        page.get_by_label("Username").fill("mcpuser")
        page.get_by_label("Password").fill("OMG!letmein")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Allow Notebook to use mcpx for you?")).to_be_visible()
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_role("heading", name="The app")).to_be_visible()
        handover.answers.put(page.url)
        assert calling.result(PATIENCE) == "signed in"
        page.goto(f"{server.url}/account")
        expect(page.get_by_role("heading", name="Notebook")).to_be_visible()
        page.get_by_role("button", name="Disconnect", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("disconnected")
        assert watched.complaints == []
