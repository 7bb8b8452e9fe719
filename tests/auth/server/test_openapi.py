"""The OpenAPI document against the routes that it describes."""

from collections.abc import Iterable
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from auth.server.config import Config
from auth.server.openapi import openapi_document
from auth.server.routes import PLACES
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry
from mcp_app.web.protected_resource import Authorities, protected_resource_routes
from tests.support.auth_server import auth_server

ISSUER = "https://mcp.example.com"
WHOLE = openapi_document(ISSUER, jwks=True, registration=True)


def operations(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(path, method.upper()) for path, item in document["paths"].items() for method in item}


def served(routes: Iterable[Route]) -> set[tuple[str, str]]:
    return {(route.path, method) for route in routes for method in route.methods - {"HEAD"}}


def test_it_is_valid_openapi_3_1() -> None:
    assert list(OpenAPIV31SpecValidator(WHOLE).iter_errors()) == []


def test_it_has_every_route_and_no_other() -> None:
    places = {(place.path, method) for place in PLACES for method in place.methods}
    authorities = Authorities(Settings(), Registry([]), None, None)
    resources = served(protected_resource_routes("mcpx", lambda _scope: ISSUER, authorities))

    assert operations(WHOLE) == places | resources


def test_every_reply_says_whether_it_may_be_kept() -> None:
    for path, item in WHOLE["paths"].items():
        for operation in item.values():
            for status, reply in operation["responses"].items():
                named = reply.get("$ref", "").rpartition("/")[2]
                headers = WHOLE["components"]["responses"][named]["headers"] if named else reply.get("headers", {})
                assert "Cache-Control" in headers, (path, status)


def test_it_is_served_with_the_issuer_as_its_server(tmp_path) -> None:
    with auth_server(tmp_path, issuer=ISSUER) as running:
        document = running.client.get("/oauth/openapi.json").json()

    assert document["servers"] == [{"url": ISSUER}]
    assert set(document["paths"]) <= set(WHOLE["paths"])


@pytest.mark.parametrize("registration", [True, False])
def test_what_is_not_served_is_not_in_it(tmp_path, registration) -> None:
    with auth_server(tmp_path, config=Config(registration=registration)) as running:
        paths = running.client.get("/oauth/openapi.json").json()["paths"]
        keys = running.client.get("/.well-known/jwks.json").status_code

    assert ("/oauth/register" in paths) is registration
    assert ("/.well-known/jwks.json" in paths) is (keys == 200)
