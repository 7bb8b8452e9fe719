"""The person in front of an OAuth client, with a browser that does nothing but follow links and post forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx2

from tests.support.gate import PATIENCE

STEPS = 10
"""Pages and redirects after which an authorization has gone astray."""


@dataclass
class Form:
    """A form as a page shows it.

    Attributes:
        fields: the values of its inputs, by name.
        kinds: the inputs' types, by name.
        buttons: what each button adds to the fields, by its words.
    """

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._button: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(given.get("action", "")))
        elif tag == "input" and self.found and "name" in given:
            self.found[-1].fields[given["name"]] = given.get("value", "")
            self.found[-1].kinds[given["name"]] = given.get("type", "text")
        elif tag == "button":
            self._button = {given["name"]: given.get("value", "")} if "name" in given else {}

    def handle_data(self, data: str) -> None:
        if self._button is not None and self.found:
            self.found[-1].buttons[data.strip()] = self._button
            self._button = None


def forms(page: str) -> list[Form]:
    """The forms of an HTML page, in order."""
    parser = _Forms()
    parser.feed(page)
    return parser.found


class Person:
    """Somebody who signs in where a page asks for it, and answers the consent page.

    Args:
        username: as on the sign-in page.
        password: likewise.
    """

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._browser = httpx2.Client(trust_env=False, timeout=PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._browser.close()

    def answer(self, authorization_url: str, button: str = "Allow") -> str:
        """Open the URL that a client shows, sign in and press a button; the URL that leads back to the client.

        Raises:
            AssertionError: a page came that no person could go on from.
        """
        home = _origin(authorization_url)
        reply = self._browser.get(authorization_url)
        for _ in range(STEPS):
            if reply.has_redirect_location:
                target = urljoin(str(reply.url), reply.headers["location"])
                if _origin(target) != home:
                    return target
                reply = self._browser.get(target)
            else:
                assert reply.status_code == 200, reply.text
                reply = self._submit(reply, home, button)
        raise AssertionError(f"still on the way after {STEPS} steps: {reply.url}")

    def account(self, url: str) -> str:
        """Sign in for nothing but the account page of a server; what it says."""
        home = _origin(url)
        reply = self._submit(self._browser.get(f"{home}/login"), home, "Sign in")
        return self._browser.get(urljoin(home, reply.headers["location"])).text

    def _submit(self, page: httpx2.Response, home: str, button: str) -> httpx2.Response:
        form, pressed = self._chosen(forms(page.text), button)
        values = form.fields | pressed
        for name, kind in form.kinds.items():
            if kind == "password":
                values[name] = self._password
            elif name == "username" and kind != "hidden":
                values[name] = self._username
        # A browser names the origin of the page in a form that it posts; not so in what follows a link.
        headers = {"Origin": home, "Sec-Fetch-Site": "same-origin"}
        return self._browser.post(urljoin(str(page.url), form.action), data=values, headers=headers)

    def _chosen(self, found: list[Form], button: str) -> tuple[Form, dict[str, str]]:
        for form in found:
            if button in form.buttons:
                return form, form.buttons[button]
        for form in found:
            if "password" in form.kinds.values():
                return form, {}
        raise AssertionError(f"nothing to go on from: {found}")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
