"""`GET /oauth/userinfo`: who a token's user is, for the client that holds it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth.server.routes import NO_STORE
from auth.server.server import AuthorizationServer
from auth.verify.authenticator import RefusedError


async def userinfo(server: AuthorizationServer, request: Request, issuer: str) -> Response:
    """Serve the userinfo endpoint: `sub`, and `preferred_username` where the token is a user's."""
    from auth.verify.local import LocalAuthenticator

    try:
        principal = await LocalAuthenticator(server, lambda _scope: issuer).authenticate(request.scope)
    except RefusedError as refused:
        return _refusal(refused)
    members = {"sub": principal.subject}
    user = await server.users.get(principal.subject)
    if user is not None:
        members["preferred_username"] = user.username
    return JSONResponse(members, headers=NO_STORE)


def _refusal(refused: RefusedError) -> Response:
    """RFC 6750, section 3: without credentials a bare challenge, otherwise what is wrong with them."""
    challenge = 'Bearer realm="mcpx"'
    if refused.error is not None:
        challenge += f', error="{refused.error}", error_description="{refused.description}"'
    members = {"error": refused.error or "invalid_request", "error_description": refused.description}
    return JSONResponse(members, refused.status, {**NO_STORE, "WWW-Authenticate": challenge})
