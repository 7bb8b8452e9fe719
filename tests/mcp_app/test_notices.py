"""What an operator is told of the way the server is set up."""

import pytest

from mcp_app.notices import notices
from mcp_app.settings import Settings

PROVIDER = {"auth_mode": "provider", "provider_issuer": "https://issuer.example"}
STRICT = {**PROVIDER, "provider_audience": "mcp", "provider_required_scopes": "mcp:use"}
PASSED = {**STRICT, "neonpanel_tools": True, "neonpanel_token_passthrough": True}


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
        ({"preset": "neonpanel"}, ["PROVIDER_AUDIENCE", "PROVIDER_REQUIRED_SCOPES", "NEONPANEL_TOKEN_PASSTHROUGH"]),
    ],
)
def test_each_thing_that_is_not_enforced_is_a_sentence(given, begins):
    said = notices(Settings(**given))
    assert [sentence[: len(begin)] for sentence, begin in zip(said, begins, strict=True)] == begins
    assert all(sentence.endswith(".") for sentence in said)
