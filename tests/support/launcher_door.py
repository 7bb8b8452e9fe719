"""The function URL door of a sandbox that the launcher starts."""

from tests.support.launcher import inject

inject()

from handlers.function_url import app  # noqa: E402 - it makes the app, which needs what was injected

__all__ = ["app"]
