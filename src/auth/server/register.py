"""POST /oauth/register: a client registers itself (RFC 7591)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth.errors import AccessDeniedError, InvalidClientMetadataError
from auth.json_object import decoded
from auth.records import Client
from auth.server.client_metadata import checked
from auth.server.form import read_body
from auth.server.routes import NO_STORE

if TYPE_CHECKING:
    from auth.server.server import AuthorizationServer

LARGEST: Final = 16 * 1024
"""Bytes of a request, at most."""


class MetadataTooLargeError(InvalidClientMetadataError):
    """The request's body is larger than any sensible one."""

    status = 413


async def register(server: "AuthorizationServer", request: Request, _issuer: str) -> Response:
    """Serve a registration.

    Raises:
        AccessDeniedError: registration is switched off.
        InvalidRedirectUriError, InvalidClientMetadataError: the metadata is refused.
        TooManyRequestsError: the address registers too often.
    """
    if not server.config.registration:
        raise AccessDeniedError("Clients cannot register themselves here.")
    metadata = await _metadata(request)
    checked(metadata)  # first, since what is refused leaves nothing behind and need not be counted
    address = server.address(request.scope)
    await server.limits.registration(address)
    client, secret = await server.clients.register(metadata, address)
    return JSONResponse(registration(client, secret), 201, NO_STORE)


def registration(client: Client, secret: str | None) -> dict[str, Any]:
    """What a client is told of its registration (RFC 7591, section 3.2.1); the secret never again."""
    told: dict[str, Any] = {"client_id": client.id, "client_id_issued_at": client.created}
    if secret is not None:
        told |= {"client_secret": secret, "client_secret_expires_at": 0}
    told |= {
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": client.grant_types,
        "response_types": ["code"] if client.redirect_uris else [],
        "token_endpoint_auth_method": client.auth_method,
        "scope": " ".join(client.scopes),
        "application_type": client.application_type,
    }
    return told | ({"client_uri": client.uri} if client.uri else {})


async def _metadata(request: Request) -> Mapping[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise InvalidClientMetadataError("The request must be JSON, with Content-Type: application/json.")
    body = await read_body(request, LARGEST)
    if body is None:
        raise MetadataTooLargeError(f"The request has more than {LARGEST} bytes.")
    try:
        return decoded(body)
    except ValueError:
        raise InvalidClientMetadataError("The request is not a JSON object.") from None
