"""What an operator should know of the way this server is set up: at start, in the deep health check and by doctor."""

from mcp_app.settings import Settings


def notices(settings: Settings) -> tuple[str, ...]:
    """One sentence for each thing that is as it was set, and yet worth a second look; none where all is enforced."""
    return (*_open(settings), *_provider(settings), *_passed_on(settings))


def _open(settings: Settings) -> tuple[str, ...]:
    if settings.auth_mode != "noauth":
        return ()
    return ("AUTH_MODE=noauth: no authentication; anybody who reaches this server can call every tool.",)


def _provider(settings: Settings) -> tuple[str, ...]:
    if not settings.takes_provider_tokens:
        return ()
    issuer, said = settings.provider_issuer, []
    if settings.provider_audience is None:
        said.append(f"PROVIDER_AUDIENCE is not set: a token that {issuer} issued for another service is good here too.")
    if not settings.provider_required_scopes:
        said.append(f"PROVIDER_REQUIRED_SCOPES is not set: a token of {issuer} is good here whatever its scopes.")
    return tuple(said)


def _passed_on(settings: Settings) -> tuple[str, ...]:
    exchanged = settings.neonpanel_user_jwt_url is not None or settings.neonpanel_introspect_url is not None
    if not settings.neonpanel_tools or not settings.neonpanel_token_passthrough or exchanged:
        return ()
    said = (
        "NEONPANEL_TOKEN_PASSTHROUGH is on: callers' own access tokens are passed on to NeonPanel, which MCP forbids "
        "for tokens that are not NeonPanel's."
    )
    return (said,)
