"""An external issuer whose documents come without a network, and what verifies its tokens."""

from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from auth.events import Event
from auth.verify.fetching import NoDocumentError
from auth.verify.provider import ProviderAuthenticator
from auth.verify.provider_claims import Rules
from auth.verify.provider_keys import ProviderKeys
from tests.support.auth_server import Clock
from tests.support.issuer import Issuer

ISSUER = "https://issuer.example"
KEYS_URL = f"{ISSUER}/keys"


@dataclass
class Documents:
    """What is at each URL: a document, or an error to be raised; nothing is a 404.

    Attributes:
        asked: the URLs that were asked for.
        held: set, answers wait for it.
    """

    at: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    held: anyio.Event | None = None

    async def __call__(self, url: str) -> Any:
        self.asked.append(url)
        if self.held is not None:
            await self.held.wait()
        found = self.at.get(url, NoDocumentError("nothing there", absent=True))
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def issuer(clock):
    made = Issuer(clock)
    made.url = ISSUER
    return made


@pytest.fixture
def documents(issuer):
    return Documents({KEYS_URL: {"keys": issuer.keys}})


@pytest.fixture
def events() -> list[Event]:
    return []


async def keys_url() -> str:
    return KEYS_URL


@pytest.fixture
def provider_keys(documents, clock, events):
    return ProviderKeys(documents, keys_url, ("RS256",), clock, events.append)


@pytest.fixture
def made(documents, clock):
    """Makes an authenticator by its rules."""

    def make(*, tool_scopes: bool = False, **rules: Any) -> ProviderAuthenticator:
        demanded = Rules(ISSUER, **rules)
        keys = ProviderKeys(documents, keys_url, demanded.algorithms, clock)
        return ProviderAuthenticator(demanded, keys, clock, tool_scopes=tool_scopes)

    return make
