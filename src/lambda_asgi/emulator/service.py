"""The emulator: one function behind its function URL, on this machine."""

import json
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from .config import FunctionConfig
from .function import Function
from .function_url import FunctionUrl, RequestTooLargeError
from .invocation import Collector, Invocation, InvokeResult, Report
from .process import Log


class Emulator:
    """The Lambda service for one function, for as long as the context lasts.

    Attributes:
        url: the function URL, once entered.
        reports: what was measured of each invocation that has ended.
    """

    def __init__(
        self,
        config: FunctionConfig,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Log = print,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare an emulator.

        Args:
            config: the function.
            host: the address of the function URL.
            port: its port, 0 for any free one.
            log: takes each line that the service or a sandbox logs.
            clock: seconds since the epoch.
        """
        self.url = ""
        self.reports: list[Report] = []
        self._config = config
        self._address = host, port
        self._function = Function(config, self.reports.append, log)
        self._front = FunctionUrl(config, self._function, clock)

    async def __aenter__(self) -> Self:
        """Start to serve; sandboxes start when invocations come. Raises OSError where the address is taken."""
        await self._function.start()
        try:
            self.url = await self._front.start(*self._address)
        except OSError:
            await self._function.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every sandbox and connection."""
        await self._front.stop()
        await self._function.stop()

    async def invoke(self, event: bytes | Mapping[str, Any]) -> InvokeResult:
        """Invoke the function directly, as the Invoke API does.

        Args:
            event: JSON, or what becomes it.

        Raises:
            ThrottledError: every sandbox is busy.
            RequestTooLargeError: the event exceeds the limit.
        """
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        if len(payload) > self._config.limits.request:
            raise RequestTooLargeError
        sink, request_id = Collector(), str(uuid4())
        limit = self._config.limits.buffered_response
        await self._function.invoke(
            Invocation(request_id, payload, sink, limit, "Root=1-00000000-000000000000000000000000;Sampled=0")
        )
        body = bytes(sink.payload) if sink.error is None else sink.error.body
        return InvokeResult(request_id, body, sink.content_type, sink.error)

    async def idle(self) -> None:
        """Wait until every invocation has ended and been reported, background work included."""
        await self._function.idle()
