import pytest

from mcp_app.settings import Settings, SettingsError


def test_an_empty_environment_gives_the_defaults():
    settings = Settings.from_environment({})
    assert settings.host == "127.0.0.1"
    assert settings.port == 8000
    assert settings.auth_mode == "oauth"
    assert settings.public_url is None
    assert settings.allowed_origins == ()


def test_an_empty_variable_counts_as_unset():
    settings = Settings.from_environment({"AUTH_MODE": "", "MCP_SERVER_PORT": "  ", "OPENAI_API_KEY": ""})
    assert (settings.auth_mode, settings.port, settings.openai_api_key) == ("oauth", 8000, None)


def test_port_stands_in_for_the_servers_own_variable():
    assert Settings.from_environment({"PORT": "9001"}).port == 9001
    assert Settings.from_environment({"PORT": "9001", "MCP_SERVER_PORT": "9002"}).port == 9002


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("AUTH_MODE", "NoAuth", "auth_mode", "noauth"),
        ("AUTH_MODE", " IAM, OAuth ,iam", "auth_mode", "iam,oauth"),
        ("AUTH_MODE", "oauth,iam", "auth_modes", ("oauth", "iam")),
        ("AUTH_MODE", "iam", "signs_in", False),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("LOG_FORMAT", "TEXT", "log_format", "text"),
        ("MCP_SERVER_PORT", " 0 ", "port", 0),
        ("MCP_SERVER_NAME", " my server ", "name", "my server"),
        ("ALLOW_PUBLIC_NOAUTH", "1", "allow_public_noauth", True),
        ("LEAN_IMPORT", "Off", "lean_import", False),
        ("TOOL_TIMEOUT_SECONDS", "0.5", "tool_timeout_seconds", 0.5),
        ("WEATHER_CACHE_SECONDS", "0", "weather_cache_seconds", 0.0),
        ("PUBLIC_URL", "https://MCP.example.com/", "public_url", "https://mcp.example.com"),
        ("PUBLIC_URL", "http://[::1]:8000", "public_url", "http://[::1]:8000"),
        (
            "ALLOWED_ORIGINS",
            "https://a.example:443, http://b.example:8080",
            "allowed_origins",
            ("https://a.example", "http://b.example:8080"),
        ),
        ("NEONPANEL_OAUTH_REQUIRED_SCOPES", "read:a,read:b", "provider_required_scopes", ("read:a", "read:b")),
        ("PROVIDER_ISSUER", "https://tenant.example/", "provider_issuer", "https://tenant.example/"),
        ("PROVIDER_ALGORITHMS", "ES256 RS256", "provider_algorithms", ("ES256", "RS256")),
        ("NEONPANEL_ORDERS_PATH", "/v2/orders", "neonpanel_orders_path", "/v2/orders"),
        ("NEONPANEL_API_BASE", "https://np.example", "neonpanel_api_base", "https://np.example"),
        ("NEONPANEL_API_BASE", "https://np.example/api/v1/", "neonpanel_api_base", "https://np.example"),
        (
            "NEONPANEL_TOOL_AUTH",
            "getAccount=IAT, neonpanel_planPurchase=user neonpanel.listReports=hybrid",
            "neonpanel_tool_auth",
            {"getAccount": "service", "planPurchase": "user", "listReports": "hybrid"},
        ),
        ("OPENAI_BASE_URL", "http://127.0.0.1:1/v1/", "openai_base_url", "http://127.0.0.1:1/v1"),
    ],
)
def test_text_becomes_a_value(variable, text, attribute, value):
    assert getattr(Settings.from_environment({variable: text}), attribute) == value


def test_another_name_is_read_where_the_own_one_is_unset():
    other = {"NEONPANEL_OAUTH_ISSUER": "https://a.example"}
    assert Settings.from_environment(other).provider_issuer == "https://a.example"
    both = other | {"PROVIDER_ISSUER": "https://b.example"}
    assert Settings.from_environment(both).provider_issuer == "https://b.example"


def test_a_preset_gives_what_nothing_else_sets():
    settings = Settings.from_environment({"PRESET": "NeonPanel"})
    assert (settings.auth_modes, settings.name) == (("provider",), "neonpanel-mcp")
    assert settings.provider_jwks_uri == "https://my.neonpanel.com/.well-known/jwks.json"
    assert settings.neonpanel_tools
    assert settings.neonpanel_token_passthrough


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("AUTH_MODE", "oauth,provider", "auth_mode", "oauth,provider"),
        ("NEONPANEL_TOKEN_PASSTHROUGH", "false", "neonpanel_token_passthrough", False),
        ("NEONPANEL_OAUTH_ISSUER", "http://127.0.0.1:1", "provider_issuer", "http://127.0.0.1:1"),
    ],
)
def test_a_setting_of_its_own_goes_before_the_preset(variable, text, attribute, value):
    settings = Settings.from_environment({"PRESET": "neonpanel", variable: text})
    assert getattr(settings, attribute) == value
    assert getattr(settings.replace(host="::1"), attribute) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PRESET", "acme"),
        ("PROVIDER_ALGORITHMS", "HS256"),
        ("PROVIDER_ALGORITHMS", "none"),
        ("PROVIDER_ISSUER", "my.neonpanel.com"),
        ("NEONPANEL_TOOL_AUTH", "listReports"),
        ("NEONPANEL_TOOL_AUTH", "getAccount=admin"),
        ("NEONPANEL_ORDERS_PATH", "sales"),
        ("NEONPANEL_ORDERS_PATH", "/a/../b"),
        ("NEONPANEL_ORDERS_PATH", "/a?b=c"),
        ("AUTH_MODE", "oauth2"),
        ("AUTH_MODE", "oauth,basic"),
        ("AUTH_MODE", "oauth,noauth"),
        ("AUTH_MODE", "oauth;iam"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("MCP_SERVER_PORT", "eighty"),
        ("MCP_SERVER_PORT", "65536"),
        ("MCP_SERVER_PORT", "-1"),
        ("MCP_SERVER_PORT", "9" * 5000),
        ("MAX_BODY_BYTES", "0"),
        ("LEAN_IMPORT", "maybe"),
        ("TOOL_TIMEOUT_SECONDS", "0.0"),
        ("TOOL_TIMEOUT_SECONDS", "841"),
        ("TOOL_TIMEOUT_SECONDS", "nan"),
        ("SEARCH_CACHE_SECONDS", "inf"),
        ("SEARCH_CACHE_SECONDS", "-0.1"),
        ("PUBLIC_URL", "mcp.example.net"),
        ("PUBLIC_URL", "https://mcp.example.com/mcp"),
        ("PUBLIC_URL", "https://user@mcp.example.com"),
        ("PUBLIC_URL", "https://mcp.example.com:port"),
        ("PUBLIC_URL", "https://[broken"),
        ("PUBLIC_URL", "ftp://mcp.example.com"),
        ("ALLOWED_ORIGINS", "*"),
        ("OPENAI_BASE_URL", "api.openai.com"),
        ("SERVER_SECRET", "too-short"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_but_never_shown(variable, text):
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({variable: text})
    message = str(caught.value)
    assert message.startswith(f"{variable} must ")
    assert text not in message.removeprefix(variable)


def test_every_wrong_variable_is_named():
    with pytest.raises(SettingsError, match=r"^MCP_SERVER_PORT must .*; LOG_LEVEL must ") as caught:
        Settings(MCP_SERVER_PORT="x", LOG_LEVEL="y")
    assert caught.value.__cause__ is None


def test_values_are_taken_by_attribute_or_by_variable():
    assert Settings(port=1).port == Settings(MCP_SERVER_PORT="1").port == 1


def test_an_unknown_setting_is_a_mistake():
    with pytest.raises(TypeError, match="no such setting: prot"):
        Settings(prot=1)


def test_settings_are_read_only():
    settings = Settings()
    with pytest.raises(AttributeError, match="port is read-only"):
        settings.port = 1


def test_a_changed_copy_leaves_the_first_alone():
    settings = Settings(auth_mode="noauth", openai_api_key="key-key-key")
    changed = settings.replace(public_url="http://127.0.0.1:1")
    assert (settings.public_url, changed.public_url) == (None, "http://127.0.0.1:1")
    assert changed.auth_mode == "noauth"
    assert changed.openai_api_key == settings.openai_api_key


def test_a_secret_does_not_show():
    settings = Settings.from_environment({"OPENAI_API_KEY": "very-secret-value"})
    assert "very-secret-value" not in f"{settings!r} {settings.openai_api_key!r} {settings.openai_api_key}"
    assert settings.openai_api_key.get_secret_value() == "very-secret-value"


def test_the_variables_of_an_environment_are_those_that_are_settings():
    environment = {"PORT": "1", "LOG_LEVEL": "INFO", "AUTH_MODE": " ", "PATH": "/bin"}
    assert Settings.variables(environment) == {"MCP_SERVER_PORT": "1", "LOG_LEVEL": "INFO"}
