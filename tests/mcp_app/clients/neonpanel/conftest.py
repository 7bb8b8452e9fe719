"""The sandbox that the tests of a module share, as good as new for each of them."""

from collections.abc import Iterator

import pytest

from sandbox import Sandbox, running
from tests.mcp_app.clients.neonpanel.secrecy import Confidant


@pytest.fixture(scope="module")
def served_sandbox() -> Iterator[Sandbox]:
    with running() as made:
        yield made


@pytest.fixture
def sandbox(served_sandbox: Sandbox) -> Sandbox:
    served_sandbox.heal()
    served_sandbox.requests.clear()
    served_sandbox.accept_access_tokens = False
    served_sandbox.introspection = "user_jwt"
    served_sandbox.legacy_details = False
    served_sandbox.instructions_as_text = False
    return served_sandbox


@pytest.fixture
def confidant(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> Confidant:
    return Confidant(sandbox, caplog)
