"""A host of MCP Apps (SEP-1865) in a browser: it frames an app as hosts do, and tells it what hosts tell."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FrameLocator, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.support.browser import Watched, context
from tests.support.serve import served

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; sandbox allow-scripts"

HOST = """<!doctype html><html lang="en"><title>Host</title><link rel="icon" href="data:,">
<style>body { margin: 0 } iframe { display: block; width: 100%; border: 0 }</style>
<iframe sandbox="allow-scripts"></iframe>
<script>
const frame = document.querySelector('iframe'), heard = [];
let hello = null;
const tell = message => frame.contentWindow.postMessage({ jsonrpc: '2.0', ...message }, '*');
addEventListener('message', ({ source, data }) => {
  if (source !== frame.contentWindow) return;
  heard.push(data);
  if (data.method === 'ui/initialize' && hello) tell({ id: data.id, result: hello });
  if (data.method === 'ui/notifications/size-changed') frame.style.height = data.params.height + 'px';
});
</script>"""


class AppHost:
    """A page with an app in it.

    Attributes:
        page: the host's page.
        app: the app's document, to look into.
        watched: what the browser complained about.
    """

    def __init__(self, watched: Watched, url: str) -> None:
        self.watched = watched
        self.page: Page = watched.page
        self.app: FrameLocator = self.page.frame_locator("iframe")
        self._url = url

    def open(self, *, openai: dict[str, Any] | None = None, answers: bool = True, **host_context: Any) -> None:
        """Frame the app; a host that answers has told its context once this returns.

        Args:
            openai: what ChatGPT puts into `window.openai` before the app's own script runs.
            answers: whether the host speaks MCP Apps.
            host_context: what it says of itself.
        """
        self.page.goto(self._url)
        result = {"protocolVersion": "2026-01-26", "hostInfo": {"name": "host", "version": "1"}, "hostCapabilities": {}}
        hello = {**result, "hostContext": host_context} if answers else None
        self.page.evaluate("given => { hello = given }", hello)
        self.page.evaluate("url => { frame.src = url }", f"/app?openai={json.dumps(openai)}" if openai else "/app")
        expect(self.app.locator("main > *").first).to_be_attached()
        if answers:
            self.wait_for("ui/notifications/initialized")

    def wait_for(self, method: str) -> dict[str, Any]:
        """The parameters of the latest such message from the app, waiting for the first."""
        self.page.wait_for_function("method => heard.some(message => message.method === method)", arg=method)
        return [message for message in self.heard() if message.get("method") == method][-1]["params"]  # type: ignore[no-any-return]

    def heard(self) -> list[dict[str, Any]]:
        """Everything the app sent, oldest first."""
        return self.page.evaluate("heard")  # type: ignore[no-any-return]

    def tell(self, method: str, params: dict[str, Any], **message: Any) -> None:
        """Send the app a notification, or with an `id` a request."""
        self.page.evaluate("message => tell(message)", {"method": method, "params": params, **message})

    def result(self, structured: Any, **result: Any) -> None:
        """Send the app a tool's result, after the input that a host sends first."""
        self.tell("ui/notifications/tool-input", {"arguments": {}})
        text = [{"type": "text", "text": json.dumps(structured)}]
        self.tell("ui/notifications/tool-result", {"content": text, "structuredContent": structured, **result})

    def inside(self, script: str, argument: Any = None) -> Any:
        """Run a script in the app's own window."""
        [frame] = self.page.main_frame.child_frames
        return frame.evaluate(script, argument)


@contextlib.contextmanager
def app_site(path: Path) -> Iterator[str]:
    """The URL of a host for the app in a file, served under the policy that a strict host gives it."""

    page = path.read_text("utf-8")

    async def host(_request: Request) -> Response:
        return HTMLResponse(HOST)

    async def app(request: Request) -> Response:
        given = request.query_params.get("openai")
        script = f"</title><script>window.openai = {given}</script>"
        html = page if given is None else page.replace("</title>", script)
        return HTMLResponse(html, headers={"content-security-policy": POLICY})

    with served(Starlette(routes=[Route("/", host), Route("/app", app)])) as url:
        yield url


@contextlib.contextmanager
def hosted(browser: Browser, url: str, **options: object) -> Iterator[AppHost]:
    """A host whose browser must not have complained of anything in the end."""
    with context(browser, **options) as profile:
        watched = Watched(profile.new_page())
        yield AppHost(watched, url)
        assert watched.complaints == []
