"""What `GET /healthz?deep=1` looks at."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from mcp_app.clients.errors import UpstreamError
from mcp_app.deadline import Deadline
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings
from mcp_app.tools.registry import Registry
from mcp_app.web.health import Check

if TYPE_CHECKING:
    from auth.server.server import AuthorizationServer
    from mcp_app.clients import Clients
    from mcp_app.provider import Provider

SIGNED_SECONDS: Final = 60
"""How long a signature or a token that worked is taken for a proof: anybody may ask, and each one costs."""

FAILED_SECONDS: Final = 10
"""How long a token that could not be had is not asked for again."""

SERVICE_SECONDS: Final = 8.0
"""For having one."""


def deep_checks(
    settings: Settings,
    registry: Registry,
    secrets: Secrets,
    authorization: "AuthorizationServer | None" = None,
    provider: "Provider | None" = None,
    *,
    clients: "Clients | None" = None,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Check]:
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
    checks: dict[str, Check] = {"tools": tools}
    if configured:
        checks["secrets"] = stored_secrets
    if authorization is not None:
        checks |= {"store": _store_check(authorization), "signingKey": _key_check(authorization, clock)}
    if provider is not None:
        checks["jwks"] = _jwks_check(provider)
    if clients is not None and settings.neonpanel_tools:
        checks["serviceToken"] = _service_check(clients, secrets, clock)
    return checks


def _store_check(authorization: "AuthorizationServer") -> Check:
    async def store() -> Mapping[str, Any]:
        await authorization.store.get("health")
        return {"status": "ok"}

    return store


def _key_check(authorization: "AuthorizationServer", clock: Callable[[], float]) -> Check:
    proven = float("-inf")

    async def signing_key() -> Mapping[str, Any]:
        nonlocal proven
        if clock() - proven >= SIGNED_SECONDS:
            # No claims, and a type that no verifier takes: it opens nothing.
            await authorization.keys.sign({}, {"typ": "health"})
            proven = clock()
        return {"status": "ok", "algorithm": authorization.keys.algorithm}

    return signing_key


def _jwks_check(provider: "Provider") -> Check:
    async def jwks() -> Mapping[str, Any]:
        found = len(await provider.keys.get())
        return {"status": "ok" if found else "failed", "keysFound": found}

    return jwks


def _service_check(clients: "Clients", secrets: Secrets, clock: Callable[[], float]) -> Check:
    failed: Exception | None = None
    next_look = float("-inf")

    async def service_token() -> Mapping[str, Any]:
        nonlocal failed, next_look
        # One of the two alone is a mistake, and the check says which is missing.
        if not any([await secrets.get(name) for name in ("NEONPANEL_CLIENT_ID", "NEONPANEL_CLIENT_SECRET")]):
            return {"status": "ok", "configured": False}
        if clock() >= next_look:
            try:
                await clients.neonpanel.check(Deadline.after(SERVICE_SECONDS))
                failed = None
            except UpstreamError as error:
                failed = error
            next_look = clock() + (SIGNED_SECONDS if failed is None else FAILED_SECONDS)
        if failed is not None:
            raise failed
        return {"status": "ok", "configured": True}

    return service_token


def _stored(settings: Settings) -> tuple[str, ...]:
    """One name out of each secret that Secrets Manager holds for this server."""
    arns = {
        "SERVER_SECRET": settings.server_secret_arn,
        "OPENAI_API_KEY": settings.openai_secret_arn,
        "NEONPANEL_CLIENT_SECRET": settings.neonpanel_secret_arn,
    }
    return tuple(name for name, arn in arns.items() if arn is not None)
