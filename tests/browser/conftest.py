"""A browser, an authorization server with a user, and an app that people come back to."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.auth_server import Running, auth_server, public_client
from tests.support.browser import Watched, context, launched
from tests.support.serve import served
from tests.support.visitor import PASSWORD, authorization


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def app() -> Iterator[str]:
    """An app's own site; each of its pages holds what `body` says, or sends the browser on to where `to` says."""

    async def show(request: Request) -> Response:
        if "to" in request.query_params:
            return RedirectResponse(request.query_params["to"], 307)
        body = request.query_params.get("body", "")
        return HTMLResponse(f'<!doctype html><link rel="icon" href="data:,"><title>App</title><h1>The app</h1>{body}')

    with served(Starlette(routes=[Route("/{path:path}", show)])) as url:
        yield url


@dataclass
class Desk:
    """Somebody at a browser who wants to connect an app.

    Attributes:
        auth: the server; alice can sign in there, and it knows the app as `app`.
        app: the app's URL.
        context: the browser's profile.
        watched: the first tab.
    """

    auth: Running
    app: str
    context: BrowserContext
    watched: Watched

    @property
    def page(self) -> Page:
        return self.watched.page

    def request(self, **changes: str | None) -> str:
        """The URL by which the app asks for access."""
        path = authorization(**{"redirect_uri": f"{self.app}/callback", **changes})
        return f"{self.auth.url}{path}"

    def sign_in(self, password: str = PASSWORD, page: Page | None = None) -> None:
        """Fill in the sign-in form and send it."""
        page = page or self.page
        page.get_by_label("Username").fill("alice")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()

    def tab(self) -> Watched:
        """Another tab of the same browser; its complaints count too."""
        made = Watched(self.context.new_page())
        made.complaints = self.watched.complaints
        return made


@pytest.fixture
def auth(tmp_path: Path, app: str) -> Iterator[Running]:
    with auth_server(tmp_path) as running:
        running.call(running.server.users.add, "alice", PASSWORD)
        running.add(public_client(name="Notebook", redirect_uris=(f"{app}/callback",)))
        yield running


@pytest.fixture
def options() -> dict[str, object]:
    """How the browser is set up; a test may ask for another."""
    return {}


@pytest.fixture
def desk(browser: Browser, auth: Running, app: str, options: dict[str, object]) -> Iterator[Desk]:
    """A desk whose browser must not have complained of anything in the end."""
    with context(browser, **options) as profile:
        made = Desk(auth, app, profile, Watched(profile.new_page()))
        yield made
        assert made.watched.complaints == []
