"""What tells a client how to get in: `WWW-Authenticate`, and its copy in band, which makes ChatGPT ask its user.

RFC 6750, section 3; RFC 9728, section 5.1; OpenAI's Apps SDK, "Authentication".
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

from auth.scopes import DEFAULT_SCOPES, READ, TOOLS
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
        scopes: what to ask for first; none where the authorization server decides.
        provider: whether the metadata names an external authorization server first, which does not know our scopes and
            without those in `scopes` gives nothing of use.
    """

    metadata: str
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    provider: bool = False

    def header(self, error: str | None = None, description: str = "", scopes: Collection[str] | None = None) -> str:
        """The value of `WWW-Authenticate`; without an error a bare challenge (RFC 6750, section 3.1).

        Args:
            error: RFC 6750's code.
            description: one sentence.
            scopes: all that is needed; None: what to ask for first.
        """
        named = {} if error is None else {"error": error, "error_description": description}
        return "Bearer " + _parameters(
            {"realm": "mcp", **named, "resource_metadata": self.metadata, **self._scope(scopes)}
        )

    def in_band(
        self, description: str, scopes: Collection[str] | None, error: str = "insufficient_scope"
    ) -> dict[str, Any]:
        """The `_meta` of a tool's result that makes its client ask for another token.

        Args:
            description: one sentence.
            scopes: all that the call needs; None: what to ask for first.
            error: RFC 6750's code.
        """
        parameters = _parameters(
            {
                "resource_metadata": self.metadata,
                "error": error,
                "error_description": description,
                **self._scope(scopes),
            }
        )
        return {META: [f"Bearer {parameters}"]}

    def _scope(self, needed: Collection[str] | None) -> Mapping[str, str]:
        """The parameter that says what to ask for, of what the authorization server knows."""
        wanted = set(self.scopes if needed is None else needed)
        if self.provider:
            wanted = wanted - {READ, TOOLS} | set(self.scopes)
        return {"scope": " ".join(sorted(wanted))} if wanted else {}


class Challenges(NamedTuple):
    """The challenges of one server.

    Attributes:
        issuer: the server's origin for a request's ASGI scope.
        scopes: of `Challenge`.
        provider: of `Challenge`.
    """

    issuer: Callable[[Mapping[str, Any]], str]
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    provider: bool = False

    def of(self, scope: Mapping[str, Any]) -> Challenge:
        """The challenge for a request, by its path; the front page stands for the bare origin."""
        resource = scope["path"].rstrip("/")
        place = resource if resource in PATHS else "/mcp"
        return Challenge(f"{self.issuer(scope)}{WELL_KNOWN}{place}", self.scopes, self.provider)


def _parameters(values: Mapping[str, str]) -> str:
    return ", ".join(f'{name}="{_quoted(value)}"' for name, value in values.items())


def _quoted(value: str) -> str:
    """What may stand between quotes (RFC 6750, section 3): printable ASCII without quotes and backslashes."""
    return "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "'" for letter in value)
