"""GET /oauth/openapi.json: the OAuth endpoints, the metadata documents and the pages as an OpenAPI 3.1 document."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from auth.server.metadata import document

if TYPE_CHECKING:
    from starlette.requests import Request

    from auth.server.server import AuthorizationServer

REGISTRATION = "/oauth/register"
KEYS = "/.well-known/jwks.json"


async def openapi(server: "AuthorizationServer", _request: "Request", issuer: str) -> Response:
    """Serve the document."""
    jwks = server.keys.algorithm == "RS256"
    return document(openapi_document(issuer, jwks=jwks, registration=server.config.registration))


def openapi_document(issuer: str, *, jwks: bool, registration: bool) -> dict[str, Any]:
    """The document of one server: without what that server does not serve.

    Args:
        issuer: where its paths begin.
        jwks: whether there are public keys to publish.
        registration: whether clients may register themselves.
    """
    absent = {path for path, served in ((KEYS, jwks), (REGISTRATION, registration)) if not served}
    whole = _whole()
    paths = {path: item for path, item in whole["paths"].items() if path not in absent}
    return whole | {"servers": [{"url": issuer}], "paths": paths}


@cache
def _whole() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return document
