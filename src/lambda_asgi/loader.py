"""`_HANDLER` -> the ASGI app, and what the app says where this runtime is missing."""

import importlib
from collections.abc import Awaitable
from typing import Any, cast

from .asgi import App
from .errors import HandlerError, NotInvocableError


class LambdaApp:
    """An ASGI app that says what is wrong when Lambda's own runtime calls it as a handler.

    Without the exec wrapper, Lambda calls `_HANDLER` with (event, context).

    Raises:
        NotInvocableError: When called so.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    def __call__(self, *args: Any) -> Awaitable[None]:
        """Pass (scope, receive, send) on to the app."""
        if len(args) != 3:  # noqa: PLR2004 - ASGI's three arguments
            raise NotInvocableError(
                "This function is an ASGI app, not a handler: "
                "set AWS_LAMBDA_EXEC_WRAPPER to /var/task/lambda_asgi/bootstrap."
            )
        return self.app(*args)


def handler(app: App) -> LambdaApp:
    """The app, ready to be named by `_HANDLER`."""
    return LambdaApp(app)


def load(name: str) -> App:
    """Import the app that `module.attribute` names.

    Raises:
        HandlerError: The name has no attribute part, or what it names is missing or cannot be called.
        Exception: Whatever importing the module raises.
    """
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        raise HandlerError(f"The handler must be named module.attribute, not {name!r}.")
    module = importlib.import_module(module_name.replace("/", "."))
    app = getattr(module, attribute, None)
    if not callable(app):
        raise HandlerError(f"{attribute!r} in module {module_name!r} is not an ASGI app.")
    return cast("App", app)
