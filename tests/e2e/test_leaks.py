"""Where what opens something may not end up: in the log, and at others' servers."""

from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from auth.events import Event
from mcp_app.authorization import authorization_server
from tests.support.auth_server import Clock, Running, Secrets
from tests.support.customer import BACKEND, VERIFIER, Customer, bearer, good, shut
from tests.support.mcp_messages import headers, message
from tests.support.openai import OpenAIDouble
from tests.support.serve import served
from tests.support.signed_in import oauth_settings, signed_in
from tests.support.visitor import PASSWORD
from tests.support.whole_server import serving_app

SEARCH = message("tools/call", {"name": "web_search", "arguments": {"query": "what is the time"}})


def test_must_not_21_no_log_line_holds_what_opens_anything(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings, clock = oauth_settings(tmp_path, log_level="DEBUG"), Clock()
    server = authorization_server(settings, clock=clock)
    with serving_app(settings, Running(server, clock, list[Event](), Secrets())) as auth:
        customer = Customer(auth)
        held = customer.held()
        assert shut(customer.doors(held)) == set()
        customer.other.post("/login", {**held.sign_in, "password": PASSWORD.upper()})
        for wrong in (held.code, f"{held.code}x"):
            customer.redeem(wrong)
        customer.call(f"{held.token}x")
        customer.auth.client.get("/oauth/userinfo", params={"access_token": held.token})
        secrets = {PASSWORD, PASSWORD.upper(), VERIFIER, BACKEND[1], held.account, held.consent["consent"]}
        secrets |= {*customer.browser.cookies.values(), *customer.other.cookies.values()}
        secrets |= {token.rpartition(".")[2] for token in (held.code, held.refresh, held.given_up, held.token)}
    logged = capfd.readouterr()
    assert '"path":"/oauth/token"' in logged.out.replace('": "', '":"')
    assert '"code_replayed"' in logged.out
    assert [secret for secret in secrets if secret in logged.out + logged.err] == []


def test_no_tool_hands_its_callers_token_on(tmp_path: Path) -> None:
    double, sent = OpenAIDouble(), list[Any]()

    async def listening(scope: Scope, receive: Receive, send: Send) -> None:
        sent.append(scope.get("headers"))
        await double.app(scope, receive, send)

    with served(listening) as openai:
        given = {"openai_base_url": f"{openai}/v1", "openai_api_key": "sk-good"}
        with signed_in(tmp_path, **given) as app:
            token = app.token()
            good(app.client.post("/mcp", json=SEARCH, headers={**headers(SEARCH), **bearer(token)}))
    assert double.requests
    assert token not in str([sent, double.requests])
    assert {value for found in sent for name, value in found or () if name == b"authorization"} == {b"Bearer sk-good"}
