"""What `GET /healthz?deep=1` looks at."""

from collections.abc import Mapping
from typing import Any

from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry
from mcp_app.web.health import Check


def deep_checks(settings: Settings, registry: Registry, secrets: Secrets) -> dict[str, Check]:
    """The checks that this configuration calls for."""

    async def tools() -> Mapping[str, Any]:
        # Schemas are made at first need: making them here finds a tool that could not be listed.
        described = [tool for tool in registry.tools if tool.input_schema and tool.description]
        complete = len(described) == len(registry.tools)
        return {"status": "ok" if complete else "failed", "count": len(registry.tools)}

    async def stored_secrets() -> Mapping[str, Any]:
        for name in configured:
            await secrets.get(name)
        return {"status": "ok", "configured": len(configured)}

    configured = _stored(settings)
    return {"tools": tools, "secrets": stored_secrets} if configured else {"tools": tools}


def _stored(settings: Settings) -> tuple[str, ...]:
    """One name out of each secret that Secrets Manager holds for this server."""
    arns = {"SERVER_SECRET": settings.server_secret_arn, "OPENAI_API_KEY": settings.openai_secret_arn}
    return tuple(name for name, arn in arns.items() if arn is not None)
