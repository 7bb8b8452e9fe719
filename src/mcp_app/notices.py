"""What an operator should know of the way this server is set up: at start, in the deep health check and by doctor."""

from auth.loopback import is_loopback
from mcp_app.neonpanel_settings import EVERY_TOOL, SERVICE_TOOLS
from mcp_app.settings import Settings


def notices(settings: Settings) -> tuple[str, ...]:
    """One sentence for each thing that is as it was set, and yet worth a second look; none where all is enforced."""
    return (
        *_open(settings),
        *_provider(settings),
        *_passed_on(settings),
        *_of_nobody(settings),
        *_own_rights(settings),
    )


def _plays(settings: Settings) -> bool:
    """Whether it is a made-up NeonPanel whose tokens and companies are at stake, and no gateway to the real one."""
    return all(is_loopback(url) for url in (settings.neonpanel_api_base, settings.provider_issuer) if url is not None)


def _open(settings: Settings) -> tuple[str, ...]:
    if settings.auth_mode != "noauth":
        return ()
    return ("AUTH_MODE=noauth: no authentication; anybody who reaches this server can call every tool.",)


def _provider(settings: Settings) -> tuple[str, ...]:
    if not settings.takes_provider_tokens or _plays(settings):
        return ()
    issuer, said = settings.provider_issuer, list[str]()
    if settings.provider_audience is None:
        said.append(f"PROVIDER_AUDIENCE is not set: a token that {issuer} issued for another service is good here too.")
    if not settings.provider_required_scopes:
        said.append(f"PROVIDER_REQUIRED_SCOPES is not set: a token of {issuer} is good here whatever its scopes.")
    return tuple(said)


def _passed_on(settings: Settings) -> tuple[str, ...]:
    exchanged = settings.neonpanel_user_jwt_url is not None or settings.neonpanel_introspect_url is not None
    passes = settings.neonpanel_token_passthrough and settings.takes_provider_tokens
    if not settings.neonpanel_tools or not passes or exchanged:
        return ()
    said = (
        "NEONPANEL_TOKEN_PASSTHROUGH is on: callers' own access tokens are passed on to NeonPanel, which MCP forbids "
        "for tokens that are not NeonPanel's."
    )
    return (said,)


def _of_nobody(settings: Settings) -> tuple[str, ...]:
    """Where tools want a user's rights at NeonPanel, and nobody comes in with any."""
    wanted = settings.neonpanel_tools and settings.neonpanel_tool_auth.get(EVERY_TOOL, "user") == "user"
    if not wanted or settings.takes_provider_tokens or _plays(settings):
        return ()
    said = (
        f"AUTH_MODE={settings.auth_mode} takes no tokens of NeonPanel's, so NeonPanel's tools refuse whoever calls, "
        "but for those that have this server's own rights."
    )
    return (said,)


def _own_rights(settings: Settings) -> tuple[str, ...]:
    """Where callers use this server's rights at NeonPanel, which are not theirs."""
    has_client = settings.neonpanel_client_secret is not None or settings.neonpanel_secret_arn is not None
    if not settings.neonpanel_tools or not has_client or _plays(settings):
        return ()
    said = []
    chosen = settings.neonpanel_tool_auth
    if EVERY_TOOL not in chosen:
        chosen = {**dict.fromkeys(SERVICE_TOOLS, "service"), **chosen}
    if tools := sorted(name for name, rights in chosen.items() if rights == "service"):
        named = "tools" if EVERY_TOOL in tools else " and ".join(tools)
        said.append(f"Whoever calls {named} has this server's own rights at NeonPanel, for all companies that it sees.")
    if settings.neonpanel_introspect_url is not None:
        without = "is not set" if settings.neonpanel_user_jwt_url is None else "may fail"
        said.append(
            f"NEONPANEL_USER_JWT_URL {without}: users of whom the introspection tells permissions, and no JWT, have "
            "this server's own rights at NeonPanel as far as those permissions go, for all companies that it sees."
        )
    return tuple(said)
