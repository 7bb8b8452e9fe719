"""Every setting, typed, from the environment; no other module of the app reads environment variables."""

import ipaddress
import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

AuthMode = Literal["oauth", "provider", "noauth"]


class SettingsError(ValueError):
    """The environment holds a value that cannot be used; the message names each variable."""


def _words(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


class Settings(BaseModel):
    """The server's settings; each field's alias is its environment variable, its description the reference text."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_alias=True, validate_by_name=True)

    # Server
    host: str = Field("127.0.0.1", alias="MCP_SERVER_HOST", description="Address that the container door binds.")
    port: int = Field(
        8000,
        ge=0,
        le=65535,
        alias="MCP_SERVER_PORT",
        description="Port that it binds; `PORT` where a platform sets it.",
    )
    name: str = Field("mcpx", alias="MCP_SERVER_NAME", description="The server's name as clients see it.")
    environment: str = Field("development", alias="NODE_ENV", description="Name of the environment, for the logs.")
    public_url: str | None = Field(
        None,
        alias="PUBLIC_URL",
        description="The https origin that clients use; on Lambda, else the function URL's own.",
    )
    allowed_origins: Words = Field(
        (), alias="ALLOWED_ORIGINS", description="Origins of browser clients, beside the public URL's own."
    )
    max_body_bytes: int = Field(
        4_000_000, gt=0, alias="MAX_BODY_BYTES", description="Largest request body, in bytes; larger ones get 413."
    )
    tool_timeout_seconds: float = Field(
        22, gt=0, le=840, alias="TOOL_TIMEOUT_SECONDS", description="Deadline of one tool call, its retries included."
    )
    dotted_tool_names: bool = Field(
        False, alias="DOTTED_TOOL_NAMES", description="List tools with dots in their names; many clients refuse them."
    )
    lean_import: bool = Field(
        True, alias="LEAN_IMPORT", description="Import only the parts of the MCP SDK that a server uses."
    )

    # Authentication
    auth_mode: Annotated[AuthMode, BeforeValidator(_lower)] = Field(
        "oauth", alias="AUTH_MODE", description="`oauth` (own users), `provider` (external tokens) or `noauth` (open)."
    )
    allow_public_noauth: bool = Field(
        False,
        alias="ALLOW_PUBLIC_NOAUTH",
        description="Let `noauth` serve a public URL. Anybody can then call every tool.",
    )
    auth_db_path: str = Field("./data/auth.db", alias="AUTH_DB_PATH", description="SQLite file of users and grants.")
    jwt_secret_key: SecretStr | None = Field(
        None, alias="JWT_SECRET_KEY", description="Signs access tokens with HS256; unset, they are RS256."
    )
    access_token_minutes: int = Field(
        60, gt=0, alias="JWT_ACCESS_TOKEN_EXPIRE_MINUTES", description="Lifetime of an access token, in minutes."
    )
    refresh_token_days: int = Field(
        30, gt=0, alias="JWT_REFRESH_TOKEN_EXPIRE_DAYS", description="Lifetime of a refresh token, in days."
    )

    # Secrets
    server_secret: SecretStr | None = Field(
        None,
        alias="SERVER_SECRET",
        description="Key, 32 characters or more, that all instances share to seal what they hand to clients.",
    )
    server_secret_arn: str | None = Field(
        None, alias="SERVER_SECRET_ARN", description="Secrets Manager secret that holds `SERVER_SECRET`."
    )
    openai_secret_arn: str | None = Field(
        None,
        alias="OPENAI_SECRET_ARN",
        description="Secrets Manager secret: JSON with `OPENAI_API_KEY` and `WEATHER_API_KEY`.",
    )

    # Tools
    openai_api_key: SecretStr | None = Field(None, alias="OPENAI_API_KEY", description="Key for `web_search`.")
    openai_base_url: str = Field(
        "https://api.openai.com/v1", alias="OPENAI_BASE_URL", description="OpenAI's API, or a gateway that speaks it."
    )
    openai_model: str = Field("gpt-5-mini", alias="OPENAI_MODEL", description="Model that runs the web search.")
    weather_api_key: SecretStr | None = Field(
        None,
        alias="WEATHER_API_KEY",
        description="OpenWeatherMap key; without one `get_weather` asks the US National Weather Service.",
    )
    openweathermap_base_url: str = Field(
        "https://api.openweathermap.org", alias="OPENWEATHERMAP_BASE_URL", description="OpenWeatherMap's API."
    )
    nws_base_url: str = Field(
        "https://api.weather.gov", alias="NWS_BASE_URL", description="The US National Weather Service's API."
    )
    weather_cache_seconds: float = Field(
        300, ge=0, alias="WEATHER_CACHE_SECONDS", description="How long a place's weather is reused, in seconds."
    )
    search_cache_seconds: float = Field(
        60, ge=0, alias="SEARCH_CACHE_SECONDS", description="How long an equal search's results are reused, in seconds."
    )

    # NeonPanel
    neonpanel_issuer: str = Field(
        "https://my.neonpanel.com", alias="NEONPANEL_OAUTH_ISSUER", description="Issuer of NeonPanel's tokens."
    )
    neonpanel_jwks_uri: str = Field(
        "https://my.neonpanel.com/.well-known/jwks.json",
        alias="NEONPANEL_OAUTH_JWKS_URI",
        description="Where its public keys are.",
    )
    neonpanel_audience: str | None = Field(
        None, alias="NEONPANEL_OAUTH_EXPECTED_AUDIENCE", description="Audience that its tokens must carry; empty: any."
    )
    neonpanel_required_scopes: Words = Field(
        (), alias="NEONPANEL_OAUTH_REQUIRED_SCOPES", description="Scopes that its tokens must carry; empty: none."
    )
    neonpanel_introspect_url: str | None = Field(
        None, alias="NEONPANEL_TOKEN_INTROSPECT_URL", description="Exchanges an access token for permissions."
    )
    neonpanel_user_jwt_url: str | None = Field(
        None, alias="NEONPANEL_USER_JWT_URL", description="Exchanges an access token for a user JWT."
    )
    neonpanel_api_base: str = Field(
        "https://my.neonpanel.com", alias="NEONPANEL_API_BASE", description="NeonPanel's API, without `/api/v1`."
    )
    neonpanel_token_url: str = Field(
        "https://my.neonpanel.com/oauth2/token",
        alias="NEONPANEL_OAUTH_TOKEN_URL",
        description="Where the service token comes from.",
    )
    neonpanel_client_id: str | None = Field(
        None, alias="NEONPANEL_CLIENT_ID", description="Client of the service token."
    )
    neonpanel_client_secret: SecretStr | None = Field(None, alias="NEONPANEL_CLIENT_SECRET", description="Its secret.")
    neonpanel_iat_scope: str | None = Field(
        None, alias="NEONPANEL_IAT_SCOPE", description="Scope of the service token."
    )
    neonpanel_iat_audience: str | None = Field(
        None, alias="NEONPANEL_IAT_AUDIENCE", description="Audience of the service token."
    )

    # Transport
    sse_heartbeat_ms: int = Field(
        15_000, gt=0, alias="SSE_HEARTBEAT_MS", description="Milliseconds between heartbeats of a long-lived stream."
    )

    # Operations
    lambda_function: str | None = Field(
        None, alias="AWS_LAMBDA_FUNCTION_NAME", description="Set by Lambda; tells that the server runs there."
    )
    certbot_email: str | None = Field(
        None, alias="CERTBOT_EMAIL", description="Who Let's Encrypt writes to; read by the single server's set-up."
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)] = Field(
        "INFO", alias="LOG_LEVEL", description="Least level that is logged."
    )
    log_format: Annotated[Literal["json", "text"], BeforeValidator(_lower)] = Field(
        "json", alias="LOG_FORMAT", description="`json`: one object per line; `text`: for reading in a terminal."
    )

    @classmethod
    def variables(cls, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The variables of an environment that are settings and not empty."""
        names = {"PORT", *(field.alias for field in cls.model_fields.values())}
        return {name: value for name, value in environment.items() if name in names and value.strip()}

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, overrides: Mapping[str, str] | None = None
    ) -> "Settings":
        """Read the settings; an empty variable counts as unset, `PORT` stands in for `MCP_SERVER_PORT`.

        Args:
            environment: where to look.
            overrides: values by variable that go before the environment's.

        Raises:
            SettingsError: naming each variable that cannot be used, and why; never its value.
        """
        given = {**cls.variables(environment), **(overrides or {})}
        if "PORT" in given:
            given.setdefault("MCP_SERVER_PORT", given["PORT"])
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine only."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _explain(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in found)
