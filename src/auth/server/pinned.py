"""Clients whose metadata document cannot be fetched from a data centre: their servers turn such visitors away."""

from typing import Final

from auth.records import Client
from auth.scopes import DEFAULT_SCOPES
from auth.server.client_metadata import PUBLIC_METHOD, USER_GRANTS


def _pinned(url: str, name: str, application_type: str, *redirect_uris: str) -> Client:
    return Client(
        id=url,
        name=name,
        source="pinned",
        redirect_uris=redirect_uris,
        grant_types=USER_GRANTS,
        scopes=DEFAULT_SCOPES,
        auth_method=PUBLIC_METHOD,
        secret_hash=None,
        created=0,
        uri="https://claude.ai",
        application_type=application_type,
    )


PINNED: Final = {
    client.id: client
    for client in (
        _pinned(
            "https://claude.ai/oauth/mcp-oauth-client-metadata",
            "Claude",
            "web",
            "https://claude.ai/api/mcp/auth_callback",
            "https://claude.com/api/mcp/auth_callback",
        ),
        _pinned(
            "https://claude.ai/oauth/claude-code-client-metadata",
            "Claude Code",
            "native",
            "http://localhost/callback",
            "http://127.0.0.1/callback",
        ),
    )
}
"""By client id, as their documents say it."""
