"""Must 10: weak randomness."""

import ast
import inspect
import secrets
from pathlib import Path

import pytest

from auth.server.server import AuthorizationServer
from auth.users import Users
from tests.support.auth_server import auth_server
from tests.support.customer import Customer, good
from tests.support.tools import ROOT
from tests.support.visitor import CALLBACK

PREDICTABLE = {"random", "uuid", "numpy"}
SOURCES = sorted(path for part in ("auth", "store") for path in (ROOT / "src" / part).rglob("*.py"))


@pytest.mark.parametrize("made", [AuthorizationServer, Users])
def test_must_not_10_randomness_is_the_systems(made: type) -> None:
    assert inspect.signature(made).parameters["randomness"].default is secrets.token_bytes


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_must_not_10_nothing_predictable_is_imported(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} & PREDICTABLE == set()


def test_must_not_10_whatever_is_handed_out_is_made_of_128_bits_or_more(tmp_path: Path) -> None:
    asked: list[int] = []

    def randomness(size: int) -> bytes:
        asked.append(size)
        return secrets.token_bytes(size)

    with auth_server(tmp_path, randomness=randomness) as auth:
        customer = Customer(auth)
        good(customer.refresh(customer.tokens()["refresh_token"]))
        confidential = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_basic"}
        registered = good(auth.client.post("/oauth/register", json=confidential)).json()
    # A user, a browser, a session, a grant, its code and seed, two access tokens, a client and its secret.
    assert len(asked) >= 10
    assert min(asked) >= 16
    assert len(registered["client_secret"]) >= 22
