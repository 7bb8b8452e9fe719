"""What tells a client how to get in: `WWW-Authenticate`, and its copy in band, which makes ChatGPT ask its user.

RFC 6750, section 3; RFC 9728, section 5.1; OpenAI's Apps SDK, "Authentication".
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from auth.scopes import DEFAULT_SCOPES
from auth.server.resources import PATHS

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
UNAUTHORIZED: Final = "unauthorized"
"""The `error` member of a 401 to a request without a token; RFC 6750 has no code for it."""

SCOPE_KEY: Final = "mcp_app.challenge"
"""Scope entry: the `Challenge` of a request that can be answered with one."""

META: Final = "mcp/www_authenticate"
"""The `_meta` member of a tool's result that holds challenges."""


class Challenge(NamedTuple):
    """The challenge of one resource.

    Attributes:
        metadata: URL of the resource's metadata (RFC 9728).
    """

    metadata: str

    def header(self, error: str | None = None, description: str = "", scopes: Collection[str] = DEFAULT_SCOPES) -> str:
        """The value of `WWW-Authenticate`; without an error a bare challenge (RFC 6750, section 3.1)."""
        named = {} if error is None else {"error": error, "error_description": description}
        return "Bearer " + _parameters(
            {"realm": "mcp", **named, "resource_metadata": self.metadata, "scope": _words(scopes)}
        )

    def in_band(self, description: str, scopes: Collection[str]) -> dict[str, Any]:
        """The `_meta` of a tool's result that says which scopes the call needs."""
        parameters = _parameters(
            {
                "resource_metadata": self.metadata,
                "error": "insufficient_scope",
                "error_description": description,
                "scope": _words(scopes),
            }
        )
        return {META: [f"Bearer {parameters}"]}


def challenge_for(issuer: str, path: str) -> Challenge:
    """The challenge at a path; the front page stands for the bare origin."""
    resource = path.rstrip("/")
    return Challenge(f"{issuer}{WELL_KNOWN}{resource if resource in PATHS else '/mcp'}")


def _words(scopes: Collection[str]) -> str:
    return " ".join(sorted(scopes))


def _parameters(values: Mapping[str, str]) -> str:
    return ", ".join(f'{name}="{_quoted(value)}"' for name, value in values.items())


def _quoted(value: str) -> str:
    """What may stand between quotes (RFC 6750, section 3): printable ASCII without quotes and backslashes."""
    return "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "'" for letter in value)
