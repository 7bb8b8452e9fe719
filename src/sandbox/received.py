"""What the sandbox was asked, as tests and the control page read it."""

from dataclasses import dataclass
from typing import Final

API: Final = "/api/v1"

_AREAS: Final = {
    "/auth/user-jwt": "user_jwt",
    "/auth/introspect": "introspect",
    "/oauth2/token": "token",
    "/oauth2/authorize": "authorize",
    "/.well-known/jwks.json": "jwks",
    "/.well-known/oauth-authorization-server": "metadata",
    "/.well-known/openid-configuration": "metadata",
}


@dataclass
class Received:
    """A request.

    Attributes:
        area: one of the areas that can fail, or `authorize`, `register`, `other`.
        path: decoded, without the query.
        query: names and values in the order in which they came.
        headers: by lower-case name.
        status: what it was answered with; None while it is not answered, or where its connection was dropped.
    """

    area: str
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    status: int | None = None


def area_of(path: str) -> str:
    """The part of NeonPanel that a path belongs to."""
    if path == API or path.startswith(f"{API}/"):
        return "api"
    if path.startswith("/oauth2/register"):
        return "register"
    return _AREAS.get(path, "other")


def is_control(path: str) -> bool:
    """Whether a path is one of the sandbox's own, which NeonPanel has not."""
    return path in ("/", "/favicon.ico") or path.startswith("/sandbox/")
