"""`AUTH_MODE` as an authenticator, and which settings it does not go with."""

from typing import TYPE_CHECKING

from auth.server.server import AuthorizationServer
from auth.verify.authenticator import Authenticator
from auth.verify.noauth import NoAuthenticator
from mcp_app.address import issuer_of, reachable
from mcp_app.authorization import check_address, check_shared, check_storage
from mcp_app.provider import Provider, check_https, check_provider
from mcp_app.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKENS_PASS = ("neonpanel_api_base", "neonpanel_user_jwt_url", "neonpanel_introspect_url", "neonpanel_token_url")
"""Settings of addresses that users' tokens and this server's own secret are sent to."""


def check_modes(settings: Settings) -> None:
    """Refuse to serve in a way that is not safe, or that does not work.

    Raises:
        SettingsError: with what to set.
    """
    if settings.takes_provider_tokens:
        check_provider(settings)
    if settings.neonpanel_tools:
        check_https(settings, _TOKENS_PASS)
    if "noauth" in settings.auth_modes and reachable(settings) and not settings.allow_public_noauth:
        raise SettingsError(
            "AUTH_MODE=noauth would let anybody call every tool of a server that other machines can reach; "
            "set ALLOW_PUBLIC_NOAUTH=true if that is meant"
        )
    if "iam" in settings.auth_modes and settings.lambda_function is None:
        raise SettingsError(
            "AUTH_MODE=iam works on Lambda alone, where a function URL of the type AWS_IAM checks signatures; "
            "here nobody could call the server. Choose oauth, provider or noauth"
        )
    if settings.signs_in:
        check_storage(settings)
        check_shared(settings)
    if settings.authority is not None:
        check_address(settings, settings.authority)


def authenticator(
    settings: Settings, authorization: AuthorizationServer | None, provider: Provider | None = None
) -> Authenticator:
    """What tells who is calling, by the modes in their order."""
    made = {mode: _one(mode, settings, authorization, provider) for mode in settings.auth_modes}
    if provider is not None and {"oauth", "provider"} <= made.keys():
        from auth.verify.by_issuer import ByIssuer

        # Both take bearer tokens, so one place in the chain asks the right one.
        both = ByIssuer(provider.issuer, made["provider"], made["oauth"])
        first, second = (mode for mode in made if mode in ("oauth", "provider"))
        made[first] = both
        del made[second]
    ways = tuple(made.values())
    return ways[0] if len(ways) == 1 else _chain(ways)


def _one(
    mode: str, settings: Settings, authorization: AuthorizationServer | None, provider: Provider | None
) -> Authenticator:
    match mode, authorization, provider:
        case "noauth", _, _:
            return NoAuthenticator()
        case "iam", _, _:
            from auth.verify.iam import IamAuthenticator

            return IamAuthenticator()
        case "oauth", AuthorizationServer(), _:
            from auth.verify.local import LocalAuthenticator

            return LocalAuthenticator(authorization, issuer_of(settings))
        case "provider", _, Provider():
            return provider.authenticator
        case _:
            raise SettingsError(f"AUTH_MODE={mode} cannot be served")


def _chain(made: "Sequence[Authenticator]") -> Authenticator:
    from auth.verify.chain import ChainAuthenticator

    return ChainAuthenticator(made)
