"""Every setting, typed, from the environment; no other module of the app reads environment variables."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args

from pydantic import SecretStr

from mcp_app.neonpanel_settings import NeonPanelSettings
from mcp_app.provider_settings import PRESETS, ProviderSettings
from mcp_app.variable import (
    Variable,
    choice,
    flag,
    http_url,
    integer,
    origin,
    origins,
    seconds,
    secret,
    several,
    text,
)

AuthMode = Literal["oauth", "provider", "noauth", "iam"]
Authority = Literal["oauth", "provider"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
LogFormat = Literal["json", "text"]


ALIKE: Final = 0.9
"""From 0 to 1, how much a variable's name must be like a setting's to be taken for a misspelling of it."""


class SettingsError(ValueError):
    """The environment holds a value that cannot be used; the message names each variable, never its value."""


class Settings(ProviderSettings, NeonPanelSettings):
    """The server's settings: one attribute per environment variable, read-only once made.

    Args:
        values: by attribute or by variable; text is parsed, and what is left out has its default.

    Raises:
        SettingsError: naming each variable that cannot be used, and why.
        TypeError: there is no such setting.
    """

    # Server
    host = Variable("MCP_SERVER_HOST", "127.0.0.1", text, "Address that the container door binds.")
    port = Variable(
        "MCP_SERVER_PORT",
        8000,
        integer(0, 65535),
        "Port that it binds; `PORT` where a platform sets that instead.",
        also="PORT",
    )
    name = Variable("MCP_SERVER_NAME", "mcpx", text, "The server's name as clients see it.")
    environment = Variable("NODE_ENV", "development", text, "Name of the environment, in every log line.")
    public_url = Variable[str | None](
        "PUBLIC_URL",
        None,
        origin,
        "Origin that clients use, such as `https://mcp.example.com`; on Lambda, unset, the function URL's own.",
    )
    documentation_url = Variable[str | None](
        "DOCUMENTATION_URL", None, http_url, "Where people find help with this server; unset, its own front page."
    )
    allowed_origins = Variable[tuple[str, ...]](
        "ALLOWED_ORIGINS", (), origins, "Origins of browser clients, beside the public URL's own, between commas."
    )
    max_body_bytes = Variable(
        "MAX_BODY_BYTES", 4_000_000, integer(1), "Largest request body, in bytes; larger ones get 413."
    )
    tool_timeout_seconds = Variable(
        "TOOL_TIMEOUT_SECONDS", 22.0, seconds(zero=False, most=840), "Deadline of one tool call, its retries included."
    )
    dotted_tool_names = Variable(
        "DOTTED_TOOL_NAMES", False, flag, "List tools with dots in their names; many clients refuse them."
    )
    lean_import = Variable("LEAN_IMPORT", True, flag, "Import only the parts of the MCP SDK that a server uses.")

    # Authentication
    auth_mode = Variable(
        "AUTH_MODE",
        "oauth",
        several(get_args(AuthMode), alone="noauth"),
        "Who may come in: `oauth` (users of this server, who sign in here), `provider` (those to whom another issuer "
        "gave a token), `iam` (AWS identities, by a function URL with `AWS_IAM`), several with commas between them, or "
        "`noauth` (anybody). Clients are told of the first one.",
    )
    allow_public_noauth = Variable(
        "ALLOW_PUBLIC_NOAUTH",
        False,
        flag,
        "Let `noauth` serve where other machines reach it. Anybody can then call every tool.",
    )
    auth_db_path = Variable(
        "AUTH_DB_PATH",
        "./data/auth.db",
        text,
        "SQLite file of users and grants; keys that the server makes for itself are in files beside it.",
    )
    auth_table = Variable[str | None](
        "AUTH_TABLE", None, text, "DynamoDB table of users and grants; unset, they are in the SQLite file."
    )
    signing_key_arn = Variable[str | None](
        "SIGNING_KEY_ARN",
        None,
        text,
        "KMS key (RSA, sign and verify) that signs access tokens; unset, a PEM file does.",
    )
    public_discovery = Variable(
        "PUBLIC_DISCOVERY", False, flag, "Let everybody list the tools; calling one still needs a token."
    )
    dynamic_registration = Variable(
        "DYNAMIC_REGISTRATION", True, flag, "Let clients register themselves (RFC 7591); unused ones expire."
    )
    sign_ins_per_user = Variable(
        "SIGN_INS_PER_USER", 5, integer(1), "Sign-ins that one user may try in a minute; more get 429."
    )
    sign_ins_per_address = Variable(
        "SIGN_INS_PER_ADDRESS", 20, integer(1), "Sign-ins that one address may try in a minute (IPv6: one /64)."
    )
    sign_in_failures_before_lock = Variable(
        "SIGN_IN_FAILURES_BEFORE_LOCK", 5, integer(1), "Failed sign-ins in a row from which on a user is locked."
    )
    sign_in_first_lock_seconds = Variable(
        "SIGN_IN_FIRST_LOCK_SECONDS", 60, integer(1), "How long the first lock lasts; each further failure doubles it."
    )
    sign_in_longest_lock_seconds = Variable(
        "SIGN_IN_LONGEST_LOCK_SECONDS", 3600, integer(1), "The longest that a lock gets."
    )
    token_requests_per_client = Variable(
        "TOKEN_REQUESTS_PER_CLIENT",
        60,
        integer(1),
        "Token requests that one client may make in a minute from one address.",
    )
    registrations_per_address = Variable(
        "REGISTRATIONS_PER_ADDRESS", 10, integer(1), "Clients that may register from one address in an hour."
    )
    trusted_proxies = Variable(
        "TRUSTED_PROXIES",
        0,
        integer(0, 10),
        "Proxies in front whose X-Forwarded-For is believed when limits are counted by address.",
    )
    openai_apps_challenge = Variable[str | None](
        "OPENAI_APPS_CHALLENGE",
        None,
        text,
        "What ChatGPT's check of the domain is answered; unset, that path is a 404.",
    )
    jwt_secret_key = Variable[SecretStr | None](
        "JWT_SECRET_KEY",
        None,
        secret(),
        "Signs access tokens with HS256, 32 bytes or more; unset, they are RS256.",
    )
    access_token_minutes = Variable(
        "JWT_ACCESS_TOKEN_EXPIRE_MINUTES",
        60,
        integer(1),
        "Lifetime of an access token, in minutes.",
    )
    refresh_token_days = Variable(
        "JWT_REFRESH_TOKEN_EXPIRE_DAYS",
        30,
        integer(1),
        "Lifetime of a refresh token, in days, from its last use.",
    )

    # Secrets
    server_secret = Variable[SecretStr | None](
        "SERVER_SECRET",
        None,
        secret(least=32),
        "Key, 32 characters or more, that all instances share to seal what they hand to clients.",
    )
    server_secret_arn = Variable[str | None](
        "SERVER_SECRET_ARN", None, text, "Secrets Manager secret: JSON with `SERVER_SECRET`."
    )
    openai_secret_arn = Variable[str | None](
        "OPENAI_SECRET_ARN", None, text, "Secrets Manager secret: JSON with `OPENAI_API_KEY` and `WEATHER_API_KEY`."
    )

    # Tools
    openai_api_key = Variable[SecretStr | None]("OPENAI_API_KEY", None, secret(), "Key for `web_search`.")
    openai_base_url = Variable(
        "OPENAI_BASE_URL", "https://api.openai.com/v1", http_url, "OpenAI's API, or a gateway that speaks it."
    )
    openai_model = Variable("OPENAI_MODEL", "gpt-5-mini", text, "Model that runs the web search.")
    weather_api_key = Variable[SecretStr | None](
        "WEATHER_API_KEY",
        None,
        secret(),
        "OpenWeatherMap key; without one `get_weather` asks the US National Weather Service.",
    )
    openweathermap_base_url = Variable(
        "OPENWEATHERMAP_BASE_URL", "https://api.openweathermap.org", http_url, "OpenWeatherMap's API."
    )
    nws_base_url = Variable(
        "NWS_BASE_URL", "https://api.weather.gov", http_url, "The US National Weather Service's API."
    )
    weather_cache_seconds = Variable(
        "WEATHER_CACHE_SECONDS", 300.0, seconds(zero=True), "How long a place's weather is reused, in seconds."
    )
    search_cache_seconds = Variable(
        "SEARCH_CACHE_SECONDS", 60.0, seconds(zero=True), "How long an equal search's results are reused, in seconds."
    )

    # Transport
    sse_heartbeat_ms = Variable(
        "SSE_HEARTBEAT_MS",
        15_000,
        integer(1),
        "Milliseconds between heartbeats of a long-lived stream. Takes effect with `GET /sse`.",
    )

    # Operations
    lambda_function = Variable[str | None](
        "AWS_LAMBDA_FUNCTION_NAME", None, text, "Set by Lambda; tells that the server runs there."
    )
    certbot_email = Variable[str | None](
        "CERTBOT_EMAIL", None, text, "Who Let's Encrypt writes to. Takes effect with the single server's set-up."
    )
    log_level = Variable[LogLevel](
        "LOG_LEVEL",
        "INFO",
        choice(get_args(LogLevel), str.upper),
        "Least level that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL.",
    )
    log_format = Variable[LogFormat](
        "LOG_FORMAT",
        "json",
        choice(get_args(LogFormat), str.lower),
        "`json`: one object per line; `text`: for reading in a terminal.",
    )

    def __init__(self, **values: Any) -> None:
        known = {key: field for field in self.fields() for key in (field.name, field.attribute)}
        if unknown := values.keys() - known.keys():
            raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
        errors = []
        for key, value in values.items():
            try:
                self._set(known[key], value)
            except ValueError as error:
                errors.append(f"{known[key].name} {error}")
        if errors:
            raise SettingsError("; ".join(errors))
        vars(self).update({**PRESETS.get(self.preset or "", {}), **vars(self)})

    def _set(self, field: Variable[Any], value: Any) -> None:
        unset = value is None and field.default is None
        vars(self)[field.attribute] = None if unset else field.parse(value)

    @property
    def auth_modes(self) -> tuple[str, ...]:
        """The ways in, one or several; the metadata of the first that has some is served."""
        return tuple(self.auth_mode.split(","))

    @property
    def signs_in(self) -> bool:
        """Whether the server has users of its own, and is their authorization server."""
        return "oauth" in self.auth_modes

    @property
    def takes_provider_tokens(self) -> bool:
        """Whether another issuer's tokens are taken."""
        return "provider" in self.auth_modes

    @property
    def authority(self) -> Authority | None:
        """The first way in that has an authorization server, which is the one that clients are told of."""
        known: dict[str, Authority] = {mode: mode for mode in get_args(Authority)}
        return next((known[mode] for mode in self.auth_modes if mode in known), None)

    def given(self, attribute: str) -> bool:
        """Whether somebody set this, be it to its default."""
        return attribute in vars(self)

    @classmethod
    def fields(cls) -> tuple[Variable[Any], ...]:
        """Every setting, in the order of the reference."""
        groups = (cls, *cls.__bases__)
        return tuple(value for group in groups for value in vars(group).values() if isinstance(value, Variable))

    @classmethod
    def variables(cls, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The variables of an environment that are settings and not empty, those of another name under their own."""
        given = ((field.name, (field.name, field.also or "")) for field in cls.fields())
        found = ((name, [environment[key] for key in keys if environment.get(key, "").strip()]) for name, keys in given)
        return {name: values[0] for name, values in found if values}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; an empty variable counts as unset.

        Args:
            environment: where to look.

        Raises:
            SettingsError: naming each variable that cannot be used, and why; never its value.
        """
        return cls(**cls.variables(environment))

    @classmethod
    def misspelled(cls, environment: Mapping[str, str] = os.environ) -> Iterator[tuple[str, str]]:
        """The variables that are no settings, each with the unset setting whose name it almost has."""
        import difflib

        names = {name for field in cls.fields() for name in (field.name, field.also) if name}
        unset = sorted(names - environment.keys())
        for name in sorted(environment.keys() - names):
            for meant in difflib.get_close_matches(name, unset, 1, ALIKE):
                yield name, meant

    def replace(self, **values: Any) -> "Settings":
        """These settings with some values changed.

        Raises:
            SettingsError: a value cannot be used.
        """
        return Settings(**{**vars(self), **values})
