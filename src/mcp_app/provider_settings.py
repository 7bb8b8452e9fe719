"""The settings of `AUTH_MODE=provider`, and the values that a preset gives for a provider that we know."""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from mcp_app.variable import Variable, choice, exact_url, flag, http_url, text, words

Preset = Literal["neonpanel"]

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""What a provider's tokens may be signed with: public keys alone, so that no key that verifies can also sign."""

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "neonpanel": {
        "auth_mode": "provider",
        "name": "neonpanel-mcp",
        "provider_issuer": "https://my.neonpanel.com",
        "provider_jwks_uri": "https://my.neonpanel.com/.well-known/jwks.json",
        "provider_authorization_endpoint": "https://my.neonpanel.com/oauth2/authorize",
        "provider_token_endpoint": "https://my.neonpanel.com/oauth2/token",
        "provider_registration_endpoint": "https://my.neonpanel.com/oauth2/register",
        "neonpanel_tools": True,
        "neonpanel_token_passthrough": True,
    }
}
"""By the name of the preset: a value for each setting that is not set otherwise."""


def algorithms(value: Any) -> tuple[str, ...]:
    """Names of signature algorithms, between commas or blanks."""
    found = words(value)
    if not found or not set(found) <= set(ALGORITHMS):
        raise ValueError(f"must be of {', '.join(ALGORITHMS)}")
    return found


class ProviderSettings:
    """Who issues the tokens where that is not this server; the requirements' names are read too."""

    preset = Variable[Preset | None](
        "PRESET",
        None,
        choice(get_args(Preset), str.lower),
        "Values for a provider that we know, each of which a setting of its own still overrides: `neonpanel` is "
        "`AUTH_MODE=provider` with NeonPanel's addresses, its tools, and its users' tokens passed on to it.",
    )
    provider_issuer = Variable[str | None](
        "PROVIDER_ISSUER",
        None,
        exact_url,
        "With `AUTH_MODE=provider`, the issuer of the tokens, exactly as they name it.",
        also="NEONPANEL_OAUTH_ISSUER",
    )
    provider_jwks_uri = Variable[str | None](
        "PROVIDER_JWKS_URI",
        None,
        http_url,
        "Where its public keys are; unset, its metadata says.",
        also="NEONPANEL_OAUTH_JWKS_URI",
    )
    provider_audience = Variable[str | None](
        "PROVIDER_AUDIENCE",
        None,
        text,
        "Audience that its tokens must carry; unset: any, so that a token which it issued for another service is good "
        "here too.",
        also="NEONPANEL_OAUTH_EXPECTED_AUDIENCE",
    )
    provider_required_scopes = Variable[tuple[str, ...]](
        "PROVIDER_REQUIRED_SCOPES",
        (),
        words,
        "Scopes that its tokens must carry, all of them; unset: none.",
        also="NEONPANEL_OAUTH_REQUIRED_SCOPES",
    )
    provider_algorithms = Variable[tuple[str, ...]](
        "PROVIDER_ALGORITHMS",
        ("RS256",),
        algorithms,
        "Signature algorithms that its tokens may have: RS256, PS256, ES256.",
    )
    provider_metadata_url = Variable[str | None](
        "PROVIDER_METADATA_URL",
        None,
        http_url,
        "Where its metadata is (RFC 8414); unset, at the well-known places below the issuer.",
    )
    provider_authorization_endpoint = Variable[str | None](
        "PROVIDER_AUTHORIZATION_ENDPOINT",
        None,
        http_url,
        "Where its users sign in; this and the next two tell clients what its metadata tells, where there is none.",
    )
    provider_token_endpoint = Variable[str | None](
        "PROVIDER_TOKEN_ENDPOINT", None, http_url, "Where its tokens come from."
    )
    provider_registration_endpoint = Variable[str | None](
        "PROVIDER_REGISTRATION_ENDPOINT", None, http_url, "Where clients register with it; unset: nowhere."
    )
    tool_scopes = Variable(
        "TOOL_SCOPES",
        False,
        flag,
        "Let each tool need the scopes that the tools' reference names for it, `read:inventory` say.",
    )
