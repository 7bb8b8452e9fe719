"""An external authorization server, as far as a resource server sees it: keys, metadata and tokens, on loopback."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.auth_server import START, Clock
from tests.support.faults import Faults
from tests.support.oauth_keys import private_key
from tests.support.serve import served

LIFETIME = 600
JWKS = "/.well-known/jwks.json"


@cache
def ec_key(_number: int = 0) -> EllipticCurvePrivateKey:
    """A P-256 key; the same number is the same key for as long as the process lives."""
    return generate_ec(SECP256R1())


def jwk(key: Any, kid: str | None = "key-0", **more: Any) -> dict[str, Any]:
    """The public half of a key, as PyJWT writes it; members that are None are left out."""
    algorithm = ECAlgorithm if isinstance(key, EllipticCurvePrivateKey) else RSAAlgorithm
    made = json.loads(algorithm.to_jwk(key.public_key()))
    # PyJWT says `key_ops`, which few issuers do.
    made.pop("key_ops", None)
    members = {**made, "kid": kid, "use": "sig", **more}
    return {name: value for name, value in members.items() if value is not None}


class Issuer:
    """What it publishes, for a test to change.

    Attributes:
        url: where it answers, and its issuer.
        clock: what its tokens go by.
        keys: its JWK set.
        documents: metadata by path; what is missing is a 404.
        faults: what to show instead of an answer.
        asked: the paths that were asked for.
    """

    def __init__(self, clock: Clock) -> None:
        self.url = ""
        self.clock = clock
        self.keys: list[Any] = [jwk(private_key(0))]
        self.documents: dict[str, Any] = {}
        self.faults = Faults()
        self.asked: list[str] = []
        self.app = Starlette(routes=[Route("/{path:path}", self._answer)])

    def count(self, path: str = JWKS) -> int:
        """How often something was asked for."""
        return self.asked.count(path)

    def metadata(self, **changes: Any) -> dict[str, Any]:
        """Metadata such as RFC 8414 shows; None leaves a member out."""
        members = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/oauth2/authorize",
            "token_endpoint": f"{self.url}/oauth2/token",
            "registration_endpoint": f"{self.url}/oauth2/register",
            "jwks_uri": f"{self.url}{JWKS}",
            "scopes_supported": ["dcr.create"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            **changes,
        }
        return {name: value for name, value in members.items() if value is not None}

    def publish(self, **changes: Any) -> None:
        """Have metadata at the place of RFC 8414."""
        self.documents["/.well-known/oauth-authorization-server"] = self.metadata(**changes)

    def token(self, key: Any = None, *, algorithm: str = "RS256", header: Mapping[str, Any] = {}, **claims: Any) -> str:
        """An access token that PyJWT signs; claims and header members that are None are left out."""
        now = int(self.clock())
        said = {"iss": self.url, "sub": "ann", "iat": now, "exp": now + LIFETIME, **claims}
        headers = {"kid": "key-0", "typ": "at+jwt", **header}
        return signed(key or private_key(0), algorithm, headers, said)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append(path)
        if fault := self.faults.next(request):
            return await fault(request)
        found = {"keys": self.keys} if path == JWKS else self.documents.get(path)
        return Response(status_code=404) if found is None else JSONResponse(found)


def signed(key: Any, algorithm: str, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A token of any kind; what is None is left out."""
    headers = {name: value for name, value in header.items() if value is not None}
    said = {name: value for name, value in claims.items() if value is not None}
    # PyJWT writes a `typ` of its own where it is given none, unless that is said so.
    if "typ" not in headers:
        headers["typ"] = None
    return jwt.api_jws.encode(json.dumps(said).encode(), key, algorithm, headers)


@contextmanager
def issuing(clock: Clock | None = None) -> Iterator[Issuer]:
    """Serve an issuer while the block runs."""
    issuer = Issuer(clock or Clock(START))
    with served(issuer.app) as url:
        issuer.url = url
        yield issuer
