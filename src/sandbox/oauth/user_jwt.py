"""What an access token is exchanged for: its user's own JWT, or what the introspection tells of it (RFC 7662)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from sandbox.held import sandbox_of
from sandbox.oauth.client import SERVICE
from sandbox.oauth.errors import OAuthError
from sandbox.oauth.form import form_of
from sandbox.sandbox import USER_JWT_LIFETIME, Sandbox


async def user_jwt(request: Request) -> JSONResponse:
    """Exchange the bearer access token for its user's JWT."""
    sandbox = sandbox_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found = sandbox.person_of(token) if scheme.lower() == "bearer" else None
    if found is None:
        return JSONResponse({"message": "Unauthenticated."}, 401, {"WWW-Authenticate": "Bearer"})
    return JSONResponse({"user_jwt": sandbox.user_jwt(found[0]), "expires_in": USER_JWT_LIFETIME})


async def introspect(request: Request) -> JSONResponse:
    """Tell the service's client what a token is good for."""
    sandbox, form = sandbox_of(request), await form_of(request)
    authorization = request.headers.get("authorization")
    try:
        client = sandbox.clients.authenticated(authorization, {})
    except OAuthError as error:
        return error.response()
    if client != SERVICE:
        return OAuthError("invalid_client", "This client may not ask.", 401).response()
    return JSONResponse(_told(sandbox, form.get("token", "")))


def _told(sandbox: Sandbox, token: str) -> dict[str, Any]:
    found = sandbox.person_of(token)
    if found is None or sandbox.introspection == "inactive":
        return {"active": False}
    person, claims = found
    told = {"active": True, "sub": person.id, "scope": claims.get("scope", ""), "exp": claims["exp"]}
    if sandbox.introspection == "permissions":
        return {**told, "permissions": list(person.permissions)}
    return {**told, "user_jwt": sandbox.user_jwt(person)}
