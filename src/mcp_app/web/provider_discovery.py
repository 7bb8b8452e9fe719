"""The metadata of the external authorization server, told again where older clients look: at this server."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.errors import TemporarilyUnavailableError
from auth.server.routes import DISCOVERY
from mcp_app.web.errors import error_response

if TYPE_CHECKING:
    from auth.verify.provider_metadata import ProviderMetadata


def provider_discovery_routes(metadata: "ProviderMetadata") -> list[Route]:
    """One document at every path; newer clients follow the protected resource's metadata instead."""

    async def told(_request: Request) -> Response:
        from auth.server.metadata import document

        try:
            return document(await metadata.get())
        except TemporarilyUnavailableError as error:
            headers = {"Retry-After": str(error.retry_after)}
            return error_response(503, error.code, error.description, headers)

    return [Route(path, told, name=name, methods=["GET"]) for name, path in DISCOVERY]
