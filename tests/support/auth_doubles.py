"""Stands in for those parts of the authorization server that are not there yet."""

import importlib
from typing import Any

from auth.server.server import AuthorizationServer


def _there(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def complete(server: AuthorizationServer) -> None:
    if not _there("auth.tokens"):
        server.__dict__["tokens"] = TokensDouble()


class TokensDouble:
    """Unsigned tokens."""

    async def issue(self, **members: Any) -> str:
        import base64
        import json

        members["scope"] = " ".join(sorted(members.pop("scopes")))
        body = base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")
        return f"e30.{body}.double"
