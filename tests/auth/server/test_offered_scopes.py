"""A server that offers the scopes of tools too: where they are told, asked for, granted and refused."""

import pytest

from auth.errors import InvalidScopeError
from auth.scopes import ALL_SCOPES, DEFAULT_SCOPES, SCOPES
from auth.server.authorization_request import scopes
from auth.server.client_metadata import checked
from auth.server.config import Config
from auth.server.documents import client_of
from auth.server.pinned import PINNED
from mcp_app.authorization import config
from mcp_app.settings import Settings
from tests.support.auth_server import PLENTY, auth_server, claims, public_client
from tests.support.visitor import alice, answer, authorization, words

NEONPANEL = [
    "read:inventory",
    "read:analytics",
    "read:companies",
    "read:reports",
    "read:warehouses",
    "read:revenue",
    "read:cogs",
    "read:landed-cost",
    "write:import",
]
"""The scopes of requirements/4, in its order."""

URIS = {"redirect_uris": ["https://app.example/callback"]}


@pytest.fixture
def wide(tmp_path):
    with auth_server(tmp_path, config=Config(limits=PLENTY, password_cost=4, scopes=ALL_SCOPES)) as running:
        yield running


def test_every_scope_that_is_required_is_in_the_table_with_a_sentence():
    assert list(ALL_SCOPES) == [*DEFAULT_SCOPES, *NEONPANEL]
    assert all(sentence[0].isupper() and not sentence.endswith(".") for sentence in SCOPES.values())
    assert len(set(SCOPES.values())) == len(SCOPES)


@pytest.mark.parametrize(("on", "offered"), [(False, DEFAULT_SCOPES), (True, ALL_SCOPES)])
def test_a_setting_decides_what_is_offered(on, offered):
    assert config(Settings(tool_scopes=on)).scopes == offered


def test_they_are_in_the_metadata_where_they_are_offered(wide, auth):
    path = "/.well-known/oauth-authorization-server"
    assert wide.client.get(path).json()["scopes_supported"] == list(ALL_SCOPES)
    assert auth.client.get(path).json()["scopes_supported"] == list(DEFAULT_SCOPES)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({}, ALL_SCOPES),
        ({"scope": "openid"}, ALL_SCOPES),
        ({"scope": "read:inventory read:companies x"}, ("read:inventory", "read:companies")),
    ],
)
def test_a_client_registers_for_those_that_it_names_or_all(wide, asked, given):
    registered = wide.client.post("/oauth/register", json={**URIS, **asked}).json()
    assert registered["scope"] == " ".join(given)
    assert checked({**URIS, **asked}, offered=ALL_SCOPES).scopes == given
    assert checked({**URIS, **asked}).scopes == DEFAULT_SCOPES


def test_a_described_or_pinned_client_may_ask_for_all_of_them(wide, auth):
    body = b'{"client_id": "https://app.example/c", "redirect_uris": ["https://app.example/callback"]}'
    assert client_of("https://app.example/c", body, 0, ALL_SCOPES).scopes == ALL_SCOPES
    for client_id in PINNED:
        assert wide.call(wide.server.clients.find, client_id, fetch=False).scopes == ALL_SCOPES
        assert auth.call(auth.server.clients.find, client_id, fetch=False).scopes == DEFAULT_SCOPES
    assert wide.server.documents._scopes == ALL_SCOPES


def test_a_request_means_what_it_names_or_all_that_is_offered():
    assert scopes(None, (), ALL_SCOPES) == ALL_SCOPES
    assert scopes("write:import mcp.read", (), ALL_SCOPES) == ("mcp.read", "write:import")
    assert scopes(None, ("mcp.read", "read:cogs"), ALL_SCOPES) == ("mcp.read", "read:cogs")
    with pytest.raises(InvalidScopeError, match=r"known are mcp.read, mcp.tools, read:inventory, .* and write:import"):
        scopes("read:everything", (), ALL_SCOPES)
    with pytest.raises(InvalidScopeError, match=r"known are mcp.read and mcp.tools"):
        scopes("read:inventory", ())


def test_where_they_are_not_offered_a_request_for_one_is_refused(auth):
    auth.add(public_client(source="cli"))
    told = answer(auth.client.get(authorization(scope="read:inventory")))
    assert told["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("asked", "granted"),
    [(None, set(ALL_SCOPES)), ("read:companies write:import", {"read:companies", "write:import"})],
)
def test_the_user_reads_what_each_is_and_the_token_carries_it(wide, asked, granted):
    visitor = alice(wide, public_client(scopes=ALL_SCOPES))
    visitor.sign_in()
    page = words(visitor.get(authorization(scope=asked)))
    assert {scope for scope, sentence in SCOPES.items() if sentence in page} == granted
    code = answer(visitor.decide(authorization(scope=asked)))["code"]
    form = {
        "grant_type": "authorization_code",
        "client_id": "app",
        "code": code,
        "redirect_uri": "https://app.example/callback",
        "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    }
    reply = wide.client.post("/oauth/token", data=form).json()
    assert set(reply["scope"].split()) == set(claims(reply["access_token"])["scope"].split()) == granted
