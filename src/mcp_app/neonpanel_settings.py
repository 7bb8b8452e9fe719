"""The settings of the NeonPanel tools."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretStr

from mcp_app.rights import Rights
from mcp_app.variable import Variable, flag, http_url, path, secret, text, words

SERVICE_TOOLS: Final = ("planPurchase",)
"""The tools that have the service token's rights unless `NEONPANEL_TOOL_AUTH` says otherwise."""

EVERY_TOOL: Final = "*"
"""In `NEONPANEL_TOOL_AUTH`, the tools that it does not name."""

_RIGHTS: Final[Mapping[str, Rights]] = {"user": "user", "service": "service", "iat": "service", "hybrid": "hybrid"}


def tool_rights(value: Any) -> dict[str, Rights]:
    """Pairs such as `getAccount=service`, between commas or blanks, by the tool's name without `neonpanel.`."""
    pairs = value if isinstance(value, Mapping) else dict(_pair(word) for word in words(value))
    if not set(pairs.values()) <= _RIGHTS.keys():
        raise ValueError("must be pairs such as getAccount=service, of user, service (or iat) and hybrid")
    return {name: _RIGHTS[rights] for name, rights in pairs.items()}


def _pair(word: str) -> tuple[str, str]:
    name, _, rights = word.partition("=")
    return name.replace("_", ".").removeprefix("neonpanel."), rights.lower()


def api_base(value: Any) -> str:
    """An http or https URL, without the path that every call adds to it."""
    return http_url(value).removesuffix("/api/v1")


class NeonPanelSettings:
    """Where NeonPanel is, whose rights calls to it have, and where those come from."""

    neonpanel_tools = Variable("NEONPANEL_TOOLS", False, flag, "Offer NeonPanel's data as tools.")
    neonpanel_api_base = Variable(
        "NEONPANEL_API_BASE", "https://my.neonpanel.com", api_base, "NeonPanel's API, with or without `/api/v1`."
    )
    neonpanel_user_jwt_url = Variable[str | None](
        "NEONPANEL_USER_JWT_URL", None, http_url, "Exchanges a user's access token for the user's own JWT."
    )
    neonpanel_introspect_url = Variable[str | None](
        "NEONPANEL_TOKEN_INTROSPECT_URL",
        None,
        http_url,
        "Asked where that one is unset or gives none: for the user's JWT, or for permissions that are enforced here.",
    )
    neonpanel_token_passthrough = Variable(
        "NEONPANEL_TOKEN_PASSTHROUGH",
        False,
        flag,
        "Where both are unset, call NeonPanel with the access token itself. MCP forbids that, unless the tokens are "
        "NeonPanel's own.",
    )
    neonpanel_token_url = Variable(
        "NEONPANEL_OAUTH_TOKEN_URL",
        "https://my.neonpanel.com/oauth2/token",
        http_url,
        "Where the service token comes from (client credentials).",
    )
    neonpanel_client_id = Variable[str | None]("NEONPANEL_CLIENT_ID", None, text, "Client of the service token.")
    neonpanel_client_secret = Variable[SecretStr | None]("NEONPANEL_CLIENT_SECRET", None, secret(), "Its secret.")
    neonpanel_secret_arn = Variable[str | None](
        "NEONPANEL_SECRET_ARN",
        None,
        text,
        "Secrets Manager secret: JSON with `NEONPANEL_CLIENT_ID` and `NEONPANEL_CLIENT_SECRET`.",
    )
    neonpanel_iat_scope = Variable[str | None]("NEONPANEL_IAT_SCOPE", None, text, "Scope of the service token.")
    neonpanel_iat_audience = Variable[str | None](
        "NEONPANEL_IAT_AUDIENCE", None, text, "Audience of the service token."
    )
    neonpanel_tool_auth = Variable[Mapping[str, Rights]](
        "NEONPANEL_TOOL_AUTH",
        {},
        tool_rights,
        "Whose rights a tool's calls have, where it should not be what the tools' reference says: pairs such as "
        "`getAccount=service`, of `user`, `service` (or `iat`) and `hybrid`; `*` stands for every other tool.",
    )
    neonpanel_hybrid_fallback = Variable(
        "NEONPANEL_HYBRID_FALLBACK",
        True,
        flag,
        "Let a `hybrid` tool use the service token where there is no user's JWT; else it is refused.",
    )
    neonpanel_elevated_scope = Variable(
        "NEONPANEL_ELEVATED_SCOPE",
        "write:purchase-plans",
        text,
        "Scope that a user's access token must carry for `planPurchase` with the user's rights.",
    )
    neonpanel_account_path = Variable(
        "NEONPANEL_ACCOUNT_PATH", "/accounts/{accountId}", path, "Path of `getAccount` under `/api/v1`."
    )
    neonpanel_orders_path = Variable("NEONPANEL_ORDERS_PATH", "/orders", path, "Path of `searchOrders`, likewise.")
    neonpanel_landed_cost_path = Variable(
        "NEONPANEL_LANDED_COST_PATH", "/landed-cost", path, "Path of `getLandedCost`, likewise."
    )
    neonpanel_purchase_plans_path = Variable(
        "NEONPANEL_PURCHASE_PLANS_PATH", "/purchase-plans", path, "Path of `planPurchase`, likewise."
    )
