"""The Lambda service on a laptop: Runtime API, function URL and sandboxes, as strict as the real one.

    async with Emulator(FunctionConfig("handlers.function_url.app", Path("src"))) as emulator:
        print(emulator.url)

Or `python -m lambda_asgi.emulator handlers.function_url.app --task-root src`.

Each sandbox is a process group started through the function's exec wrapper, with Lambda's environment and nothing of
the host's, and a Runtime API of its own. It is stopped (SIGSTOP) between invocations. A watchdog process kills whatever
is left when the emulator itself is killed.

What differs from the service:

- The URL is plain HTTP, `x-forwarded-proto` says so, and `domainName` is its host and port.
- SnapStart: each sandbox goes through init, snapshot and restore by itself; a snapshot is never restored twice. Its TCP
  connections are shut down at the snapshot, where the host permits.
- The task root is read-only where the host permits a mount namespace; otherwise the log says that it is writable.
- Memory is measured, not limited. External extensions, X-Ray and authentication (SigV4) are not there.
- A request waits up to 50 ms for a sandbox that has answered and is about to ask for its next invocation; on loopback a
  client's next request would otherwise arrive before that.
"""

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
