"""The public keys that access tokens are verified with (RFC 7517)."""

import hashlib
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth.keys.key_set import PUBLISHED_AGE
from auth.server.routes import NO_STORE
from auth.server.server import AuthorizationServer

NO_KEYS = {
    "error": "not_found",
    "error_description": "Access tokens of this server are signed with a shared secret, so there are no public keys.",
}


async def jwks(server: AuthorizationServer, request: Request, _issuer: str) -> Response:
    """The JWK set; 404 where tokens are signed with a shared secret.

    Raises:
        auth.keys.errors.KeyUnavailableError: there is no key yet, and none can be made.
        store.protocol.StoreUnavailableError: the keys cannot be read.
    """
    keys = await server.keys.jwks()
    if keys is None:
        return JSONResponse(NO_KEYS, 404, NO_STORE)
    body = json.dumps(keys, separators=(",", ":")).encode()
    headers = {
        "Cache-Control": f"public, max-age={PUBLISHED_AGE}",
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    return Response(body, 200, headers, "application/json")
