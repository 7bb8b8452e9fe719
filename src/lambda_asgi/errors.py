"""What can go wrong here.

LambdaAsgiError
├── SettingsError            an environment variable is missing or makes no sense
├── HandlerError             `_HANDLER` does not lead to an ASGI app
├── StartupError             the app's lifespan reported a failed start
├── NotInvocableError        the app was called as a plain (event, context) handler
├── InvalidEventError        an event that looks like an HTTP request has no usable content
├── InvalidResponseError     the app sent what cannot go out as an HTTP response
├── IncompleteResponseError  the app returned without finishing, or without beginning, its response
├── AppExitError             the app raised SystemExit or KeyboardInterrupt while it served a request
├── ResponseClosedError      the app sent after its response had been ended (also an OSError, as ASGI 2.4 asks)
└── RuntimeApiError          the Runtime API is gone, or refused: the process has to end
"""


class LambdaAsgiError(Exception):
    """Any error raised by this package."""


class SettingsError(LambdaAsgiError):
    """An environment variable is missing or makes no sense."""


class HandlerError(LambdaAsgiError):
    """`_HANDLER` does not lead to an ASGI app."""


class StartupError(LambdaAsgiError):
    """The app's lifespan reported a failed start."""


class NotInvocableError(LambdaAsgiError):
    """The app was called as a plain (event, context) handler."""


class InvalidEventError(LambdaAsgiError):
    """An event that looks like an HTTP request has no usable content."""


class InvalidResponseError(LambdaAsgiError):
    """The app sent what cannot go out as an HTTP response."""


class IncompleteResponseError(LambdaAsgiError):
    """The app returned without finishing, or without beginning, its response."""


class AppExitError(LambdaAsgiError):
    """The app raised SystemExit or KeyboardInterrupt while it served a request."""


class ResponseClosedError(LambdaAsgiError, OSError):
    """The app sent after its response had been ended, by the deadline or by the service."""


class RuntimeApiError(LambdaAsgiError):
    """The Runtime API is gone, or refused: the process has to end."""
