"""What this server is as a protected resource (RFC 9728), at its own paths and behind the well-known name."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from auth.errors import TemporarilyUnavailableError
from auth.server.resources import PATHS
from mcp_app.challenge import WELL_KNOWN
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry

if TYPE_CHECKING:
    from auth.server.server import AuthorizationServer
    from mcp_app.provider import Provider

CACHE = {"Cache-Control": "public, max-age=300"}


class Authorities:
    """Whose tokens are accepted, and what a client may ask for: of the issuer that comes first.

    Args:
        settings: which one that is.
        registry: the tools, whose scopes a provider's users may be asked for.
        authorization: this server's own.
        provider: the external one.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        authorization: "AuthorizationServer | None",
        provider: "Provider | None",
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._authorization = authorization
        self._provider = provider

    def issuers(self, own: str) -> list[str]:
        """Issuers, as a client should try them; `own` is this server's.

        Where a provider comes first, its users are who the server is for: own tokens are for scripts.
        """
        theirs = [self._provider.issuer] if self._provider else []
        return [own, *theirs] if self._settings.authority == "oauth" else theirs

    async def scopes(self) -> list[str]:
        """What clients may ask the first issuer for; another's scopes would be an error there."""
        if self._settings.authority == "oauth":
            return list(self._authorization.config.scopes) if self._authorization else []
        needed = self._settings.provider_required_scopes
        return list(dict.fromkeys((*await self._published(), *needed, *self._of_tools())))

    async def _published(self) -> Iterable[str]:
        try:
            metadata = await self._provider.metadata.get() if self._provider else {}
        except TemporarilyUnavailableError:
            return ()
        listed: Iterable[str] = metadata.get("scopes_supported", ())
        return listed

    def _of_tools(self) -> Iterable[str]:
        tools = self._registry.tools if self._settings.tool_scopes else ()
        return (scope for tool in tools for scope in sorted(tool.scopes))


def protected_resource_routes(
    name: str, issuer: Callable[[Mapping[str, Any]], str], authorities: Authorities
) -> list[Route]:
    """One document for each URL that stands for the server.

    Args:
        name: the server's name, as people see it.
        issuer: the server's origin for a request's ASGI scope.
        authorities: whose tokens are accepted.
    """
    return [_route(path, name, issuer, authorities) for path in PATHS]


def _route(path: str, name: str, issuer: Callable[[Mapping[str, Any]], str], authorities: Authorities) -> Route:
    async def document(request: Request) -> JSONResponse:
        from auth.server.metadata import protected_resource_metadata

        own = issuer(request.scope)
        told = protected_resource_metadata(
            own,
            path,
            name=name,
            authorization_servers=authorities.issuers(own),
            scopes=await authorities.scopes(),
        )
        return JSONResponse(told, headers=CACHE)

    suffix = path.replace("/", "_")
    return Route(f"{WELL_KNOWN}{path}", document, name=f"protected_resource{suffix}", methods=["GET"])
