"""Gives each request an id that its reply and every log line carry."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_app.middleware.reply import with_headers
from mcp_app.telemetry import request_id

HEADER = "X-Request-Id"

_SANE = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def _random_id() -> str:
    return uuid4().hex


class RequestIdMiddleware:
    """Takes the client's id if it is sane, else Lambda's, else a random one; echoes it in `X-Request-Id`."""

    def __init__(self, app: ASGIApp, make_id: Callable[[], str] = _random_id) -> None:
        self.app = app
        self.make_id = make_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its id."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        current = _inbound_id(Headers(scope=scope)) or _lambda_id(scope) or self.make_id()

        def echo(headers: MutableHeaders) -> None:
            headers[HEADER] = current

        token = request_id.set(current)
        try:
            await self.app(scope, receive, with_headers(send, echo))
        finally:
            request_id.reset(token)


def _inbound_id(headers: Headers) -> str | None:
    given = headers.get(HEADER, "")
    return given if _SANE.fullmatch(given) else None


def _lambda_id(scope: Mapping[str, Any]) -> str | None:
    extension = scope.get("extensions", {}).get("aws.lambda")
    return getattr(extension["context"], "aws_request_id", None) if extension else None
