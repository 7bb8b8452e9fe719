"""What must never be told, neither to whoever calls nor in the log."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from mcp_app.tools.outcome import Outcome
from sandbox import SECRET_UPSTREAM_TEXT, Received, Sandbox

_TOKENS = ("access_token", "token", "client_secret")


class Confidant:
    """Looks whether anything secret was told: to the callers whose outcomes it is given, or in the log at DEBUG."""

    def __init__(self, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
        self._sandbox = sandbox
        self._caplog = caplog
        caplog.set_level(logging.DEBUG)

    def heard(self, *outcomes: Outcome) -> None:
        """Fail if so."""
        told = "\n".join([*map(repr, outcomes), *self._logged()])
        secrets = set(self._secrets())
        assert not [secret for secret in secrets if secret in told]

    def _logged(self) -> Iterator[str]:
        for record in self._caplog.records:
            # The sandbox, and what else a test serves, logs here only because it runs in the same process.
            if not record.name.startswith("uvicorn"):
                yield f"{self._caplog.handler.format(record)} {vars(record)}"

    def _secrets(self) -> Iterator[str]:
        yield from (SECRET_UPSTREAM_TEXT, "upstream-internals", "db.internal", self._sandbox.url, "/api/v1")
        yield self._sandbox.settings()["NEONPANEL_CLIENT_SECRET"]
        for request in self._sandbox.requests:
            yield from _tokens(request)


def _tokens(request: Received) -> Iterator[str]:
    if authorization := request.headers.get("authorization"):
        yield authorization.partition(" ")[2]
    if request.area in {"user_jwt", "token", "introspect"}:
        yield from (value for name, value in _members(request) if name in _TOKENS)


def _members(request: Received) -> list[tuple[str, str]]:
    if request.headers["content-type"].startswith("application/json"):
        body: dict[str, Any] = json.loads(request.body)
        return [(name, str(value)) for name, value in body.items()]
    form = parse_qs(unquote(request.body.decode(), errors="strict"))
    return [(name, values[0]) for name, values in form.items()]
