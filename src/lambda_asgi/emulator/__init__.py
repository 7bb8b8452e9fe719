"""The Lambda service on a laptop: Runtime API, function URL and sandboxes, as strict as the real one."""

from .config import FunctionConfig, InvokeMode, Limits
from .function_url import RequestTooLargeError
from .invocation import FunctionError, InvokeResult, Report, ThrottledError
from .service import Emulator

__all__ = [
    "Emulator",
    "FunctionConfig",
    "FunctionError",
    "InvokeMode",
    "InvokeResult",
    "Limits",
    "Report",
    "RequestTooLargeError",
    "ThrottledError",
]
