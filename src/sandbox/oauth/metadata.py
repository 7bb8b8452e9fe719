"""What clients learn of the authorization server (RFC 8414), and its public keys."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from sandbox.held import sandbox_of

SCOPES: Final = ("openid",)
METHODS: Final = ("none", "client_secret_basic", "client_secret_post")
GRANTS: Final = ("authorization_code", "refresh_token", "client_credentials")


async def metadata(request: Request) -> JSONResponse:
    """The metadata, the same for OAuth and for OpenID Connect."""
    url = sandbox_of(request).url
    return JSONResponse(
        {
            "issuer": url,
            "authorization_endpoint": f"{url}/oauth2/authorize",
            "token_endpoint": f"{url}/oauth2/token",
            "registration_endpoint": f"{url}/oauth2/register",
            "jwks_uri": f"{url}/.well-known/jwks.json",
            "scopes_supported": SCOPES,
            "response_types_supported": ["code"],
            "grant_types_supported": GRANTS,
            "token_endpoint_auth_methods_supported": METHODS,
            "code_challenge_methods_supported": ["S256"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


async def jwks(request: Request) -> JSONResponse:
    """The public keys."""
    return JSONResponse(sandbox_of(request).keys.jwks())
