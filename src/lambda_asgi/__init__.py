"""Any ASGI app on AWS Lambda, streaming. Standard library only."""

from .context import LambdaContext, request_id, trace_id
from .errors import InvalidResponseError, LambdaAsgiError, ResponseClosedError
from .loader import LambdaApp, handler
from .snapshot import register_after_restore, register_before_snapshot

__all__ = [
    "InvalidResponseError",
    "LambdaApp",
    "LambdaAsgiError",
    "LambdaContext",
    "ResponseClosedError",
    "handler",
    "register_after_restore",
    "register_before_snapshot",
    "request_id",
    "trace_id",
]
