"""What this server is as a protected resource (RFC 9728), at its own paths and behind the well-known name."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from auth.server.resources import PATHS
from mcp_app.challenge import WELL_KNOWN

CACHE = {"Cache-Control": "public, max-age=300"}


def protected_resource_routes(name: str, issuer: Callable[[Mapping[str, Any]], str]) -> list[Route]:
    """One document for each URL that stands for the server.

    Args:
        name: the server's name, as people see it.
        issuer: the issuer for a request's ASGI scope.
    """
    return [_route(path, name, issuer) for path in PATHS]


def _route(path: str, name: str, issuer: Callable[[Mapping[str, Any]], str]) -> Route:
    async def document(request: Request) -> JSONResponse:
        from auth.server.metadata import protected_resource_metadata

        return JSONResponse(protected_resource_metadata(issuer(request.scope), path, name=name), headers=CACHE)

    suffix = path.replace("/", "_")
    return Route(f"{WELL_KNOWN}{path}", document, name=f"protected_resource{suffix}", methods=["GET"])
