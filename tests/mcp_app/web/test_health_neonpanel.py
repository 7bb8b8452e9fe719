"""What the deep health check says of NeonPanel's service token."""

from collections.abc import Iterator
from typing import Any

import pytest

from mcp_app.clients import Clients
from mcp_app.clients.errors import NotConfiguredError, UpstreamError
from mcp_app.clients.neonpanel.service_token import NotIssuedError
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry
from mcp_app.web.checks import deep_checks
from mcp_app.web.health import Check
from sandbox import Sandbox, running
from tests.support.neonpanel import Tools, tools

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running() as made:
        yield made


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def check_of(made: Tools, settings: Settings, clock: Clock) -> Check:
    checks = deep_checks(settings, Registry([]), Secrets(settings), clients=made.clients, clock=clock)
    return checks["serviceToken"]


def fetched(sandbox: Sandbox) -> int:
    return sum(request.area == "token" for request in sandbox.requests)


async def test_a_token_that_works_is_a_proof_for_a_minute(sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    clock = Clock()
    async with tools(sandbox) as made:
        check = check_of(made, Settings.from_environment(sandbox.settings()), clock)
        for _ in range(3):
            assert await check() == {"status": "ok", "configured": True}
        assert fetched(sandbox) == 1


async def test_one_that_cannot_be_had_is_a_failure_and_not_asked_for_by_everybody_who_looks(sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    sandbox.fail("token", "bad-request")
    clock = Clock()
    async with tools(sandbox) as made:
        check = check_of(made, Settings.from_environment(sandbox.settings()), clock)
        for _ in range(3):
            with pytest.raises(UpstreamError) as raised:
                await check()
        assert isinstance(raised.value, NotIssuedError)
        assert fetched(sandbox) == 1
        sandbox.heal()
        clock.now = 10
        assert await check() == {"status": "ok", "configured": True}


async def test_a_server_without_a_client_of_its_own_is_healthy(sandbox: Sandbox) -> None:
    settings = Settings(neonpanel_tools=True)
    async with tools(sandbox) as made:
        assert await check_of(made, settings, Clock())() == {"status": "ok", "configured": False}
    assert "serviceToken" not in deep_checks(Settings(), Registry([]), Secrets(settings), clients=made.clients)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"neonpanel_client_id": "c"}, "NEONPANEL_CLIENT_SECRET"),
        ({"neonpanel_client_secret": "s"}, "NEONPANEL_CLIENT_ID"),
    ],
)
async def test_half_a_client_is_a_failure_that_names_the_other_half(given: dict[str, Any], missing: str) -> None:
    settings = Settings(neonpanel_tools=True, **given)
    secrets = Secrets(settings)
    clients = Clients(settings, secrets)
    check = deep_checks(settings, Registry([]), secrets, clients=clients)["serviceToken"]
    with pytest.raises(NotConfiguredError, match=f"must set {missing} or NEONPANEL_SECRET_ARN"):
        await check()
    await clients.aclose()
