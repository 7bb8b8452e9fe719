"""What an operator is told of the way the server is set up."""

import pytest

from mcp_app.notices import notices
from mcp_app.settings import Settings

PROVIDER = {"auth_mode": "provider", "provider_issuer": "https://issuer.example"}
STRICT = {**PROVIDER, "provider_audience": "mcp", "provider_required_scopes": "mcp:use"}
PASSED = {**STRICT, "neonpanel_tools": True, "neonpanel_token_passthrough": True}
OWN_RIGHTS = {
    **STRICT,
    "neonpanel_tools": True,
    "neonpanel_client_secret": "hush",
    "neonpanel_user_jwt_url": "https://np.example/jwt",
}
PLAYED = {"neonpanel_api_base": "http://127.0.0.1:9", "provider_issuer": "http://127.0.0.1:9"}
INTROSPECTED = {**OWN_RIGHTS, "neonpanel_introspect_url": "https://np.example/i"}


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ({}, []),
        ({"auth_mode": "iam"}, []),
        ({"auth_mode": "noauth"}, ["AUTH_MODE=noauth"]),
        (STRICT, []),
        (PROVIDER, ["PROVIDER_AUDIENCE", "PROVIDER_REQUIRED_SCOPES"]),
        ({**STRICT, "provider_audience": None}, ["PROVIDER_AUDIENCE"]),
        ({**STRICT, "provider_required_scopes": ""}, ["PROVIDER_REQUIRED_SCOPES"]),
        ({**PROVIDER, "auth_mode": "oauth,provider"}, ["PROVIDER_AUDIENCE", "PROVIDER_REQUIRED_SCOPES"]),
        ({**PROVIDER, "auth_mode": "oauth"}, []),
        (PASSED, ["NEONPANEL_TOKEN_PASSTHROUGH"]),
        ({**PASSED, "neonpanel_tools": False}, []),
        ({**PASSED, "neonpanel_user_jwt_url": "https://np.example/jwt"}, []),
        ({**PASSED, "neonpanel_introspect_url": "https://np.example/i"}, []),
        ({**PASSED, "auth_mode": "oauth"}, ["AUTH_MODE=oauth takes no tokens of NeonPanel's"]),
        ({"neonpanel_tools": True, "auth_mode": "iam"}, ["AUTH_MODE=iam takes no tokens of NeonPanel's"]),
        ({"neonpanel_tools": True, "neonpanel_tool_auth": "getAccount=service"}, ["AUTH_MODE=oauth takes no tokens"]),
        ({"neonpanel_tools": True, "neonpanel_tool_auth": "*=hybrid"}, []),
        ({"neonpanel_tools": True, "neonpanel_api_base": "http://127.0.0.1:9"}, []),
        (OWN_RIGHTS, ["Whoever calls planPurchase has"]),
        (
            {**OWN_RIGHTS, "neonpanel_client_secret": None, "neonpanel_secret_arn": "arn:x"},
            ["Whoever calls planPurchase has"],
        ),
        ({**OWN_RIGHTS, "neonpanel_client_secret": None}, []),
        ({**OWN_RIGHTS, "neonpanel_tools": False}, []),
        ({**OWN_RIGHTS, "neonpanel_tool_auth": "planPurchase=user"}, []),
        ({**OWN_RIGHTS, "neonpanel_tool_auth": "getAccount=iat"}, ["Whoever calls getAccount and planPurchase has"]),
        ({**OWN_RIGHTS, "neonpanel_tool_auth": "*=service"}, ["Whoever calls tools has"]),
        ({**OWN_RIGHTS, "neonpanel_tool_auth": "*=user"}, []),
        (
            {**INTROSPECTED, "neonpanel_user_jwt_url": None},
            ["Whoever calls planPurchase", "NEONPANEL_USER_JWT_URL is not set"],
        ),
        (INTROSPECTED, ["Whoever calls planPurchase", "NEONPANEL_USER_JWT_URL may fail"]),
        ({**OWN_RIGHTS, "neonpanel_api_base": "http://127.0.0.1:9"}, ["Whoever calls planPurchase has"]),
        ({**OWN_RIGHTS, **PLAYED}, []),
        ({**PROVIDER, **PLAYED}, []),
        ({**PLAYED, **PROVIDER}, ["PROVIDER_AUDIENCE", "PROVIDER_REQUIRED_SCOPES"]),
        ({"preset": "neonpanel"}, ["PROVIDER_AUDIENCE", "PROVIDER_REQUIRED_SCOPES", "NEONPANEL_TOKEN_PASSTHROUGH"]),
    ],
)
def test_each_thing_that_is_not_enforced_is_a_sentence(given, begins):
    said = notices(Settings(**given))
    assert [sentence[: len(begin)] for sentence, begin in zip(said, begins, strict=True)] == begins
    assert all(sentence.endswith(".") for sentence in said)
