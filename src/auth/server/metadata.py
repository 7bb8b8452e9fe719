"""What clients discover: the authorization server's metadata (RFC 8414) and each resource's (RFC 9728)."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from auth.scopes import DEFAULT_SCOPES
from auth.server.client_metadata import ALL_GRANTS, AUTH_METHODS, SECRET_METHODS

if TYPE_CHECKING:
    from starlette.requests import Request

    from auth.server.server import AuthorizationServer

CACHEABLE = {"Cache-Control": "public, max-age=300"}


async def authorization_server(server: "AuthorizationServer", _request: "Request", issuer: str) -> Response:
    """Serve the authorization server's metadata, at each of the paths where clients look for it."""
    jwks = server.keys.algorithm == "RS256"
    registration, scopes = server.config.registration, server.config.scopes
    return document(authorization_server_metadata(issuer, jwks=jwks, registration=registration, scopes=scopes))


def document(metadata: Mapping[str, Any]) -> JSONResponse:
    """A metadata document as a reply, which anybody may keep for a while."""
    return JSONResponse(metadata, headers=CACHEABLE)


def authorization_server_metadata(
    issuer: str, *, jwks: bool, registration: bool, scopes: Iterable[str] = DEFAULT_SCOPES
) -> dict[str, Any]:
    """The authorization server's metadata (RFC 8414, section 2; RFC 9207, section 3).

    Only what is served is in it: none of OpenID Connect's own members, though older clients read the document at its
    path too.

    Args:
        issuer: an origin, exactly as it is in tokens.
        jwks: whether there are public keys to publish.
        registration: whether clients may register themselves.
        scopes: those that are offered.
    """
    metadata = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "scopes_supported": list(scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(ALL_GRANTS),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "introspection_endpoint_auth_methods_supported": list(SECRET_METHODS),
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
    }
    if jwks:
        metadata["jwks_uri"] = f"{issuer}/.well-known/jwks.json"
    if registration:
        metadata["registration_endpoint"] = f"{issuer}/oauth/register"
    return metadata


def protected_resource_metadata(
    issuer: str,
    path: str,
    *,
    name: str,
    authorization_servers: Iterable[str] | None = None,
    scopes: Iterable[str] = DEFAULT_SCOPES,
) -> dict[str, Any]:
    """A protected resource's metadata (RFC 9728, section 2).

    Args:
        issuer: this server's origin.
        path: of the resource below it: one of `auth.server.resources.PATHS`.
        name: the resource's name, for people.
        authorization_servers: issuers whose tokens are accepted; None: this server itself.
        scopes: that a client may ask for; none at all where nobody knows them.
    """
    listed = list(scopes)
    return {
        "resource": f"{issuer}{path}",
        "resource_name": name,
        "authorization_servers": [issuer] if authorization_servers is None else list(authorization_servers),
        **({"scopes_supported": listed} if listed else {}),
        "bearer_methods_supported": ["header"],
    }
