"""The function URL: an HTTP/1.1 server whose requests become events, answered as the function streams.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html and .../urls-invocation.html
"""

import json
import secrets
from collections.abc import Callable, Mapping
from uuid import uuid4

from .config import FunctionConfig
from .events import Origin, Stamp, build_event, encode_event
from .exchange import BufferedResponse, Exchange, StreamedResponse
from .function import Function
from .http_connection import Connection, Pending
from .invocation import Invocation, ThrottledError
from .listener import Listener
from .responses import encode_json
from .throttle import Throttle
from .wire import Fields, MalformedMessageError, RequestHead, TruncatedBodyError

_THROTTLED = {
    "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
    "Type": "User",
    "Message": "Rate Exceeded.",
}


class RequestTooLargeError(Exception):
    """The request, or the event made of it, exceeds the limit of an invocation's payload."""


class FunctionUrl:
    """Serves a function to the world."""

    def __init__(self, config: FunctionConfig, function: Function, clock: Callable[[], float]) -> None:
        self._config = config
        self._function = function
        self._clock = clock
        self._listener = Listener(self._client)
        self._domain = ""
        self._port = 0

    async def start(self, host: str, port: int) -> str:
        """Listen on host and port (0: any free one); return the URL."""
        name, self._port = await self._listener.start(host, port)
        self._domain = f"[{name}]:{self._port}" if ":" in name else f"{name}:{self._port}"
        return f"http://{self._domain}"

    async def stop(self) -> None:
        """Stop listening and drop every client."""
        await self._listener.stop()

    def stamp(self, head: RequestHead) -> Stamp:
        """Return what the service gives a request."""
        now = self._clock()
        return Stamp(str(uuid4()), head.header("x-amzn-trace-id") or _new_trace(now), now)

    def answer(self, connection: Connection, head: RequestHead, event: bytes, stamp: Stamp) -> Pending:
        """Have one request answered; the connection is held until it is."""
        connection.hold()
        exchange = Exchange(connection, head, stamp_fields(stamp))
        invocation = self._invocation(event, exchange, stamp)
        return None if self._function.offer(invocation) else self._place(invocation, exchange)

    async def _place(self, invocation: Invocation, exchange: Exchange) -> None:
        try:
            await self._function.place(invocation)
        except ThrottledError:
            exchange.answer(429, json.dumps(_THROTTLED).encode(), ("x-amzn-ErrorType", "TooManyRequestsException"))

    def _invocation(self, event: bytes, exchange: Exchange, stamp: Stamp) -> Invocation:
        limits = self._config.limits
        if self._config.invoke_mode == "BUFFERED":
            buffered = BufferedResponse(exchange)
            return Invocation(stamp.request_id, event, buffered, limits.buffered_response, stamp.trace_id)
        throttle = Throttle(limits.burst, limits.bandwidth) if self._config.throttle else None
        streamed = StreamedResponse(exchange, limits.prelude, throttle)
        return Invocation(stamp.request_id, event, streamed, limits.streamed_response, stamp.trace_id)

    def _client(self, address: str) -> "_Client":
        return _Client(self, Origin(address, self._domain, self._port), self._config.limits.request)


class _Client:
    """The requests on one connection, one after the other."""

    def __init__(self, url: FunctionUrl, origin: Origin, limit: int) -> None:
        self._url = url
        self._origin = origin
        self._limit = limit
        self._head: RequestHead | None = None
        self._body = bytearray()

    def begin(self, connection: Connection, head: RequestHead) -> None:
        self._head = head
        if (head.length or 0) > self._limit:
            self._refuse(connection, self._url.stamp(head))
        elif head.header("expect").lower() == "100-continue":
            connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def piece(self, connection: Connection, data: bytes) -> None:
        self._body += data
        if self._head is not None and len(self._body) > self._limit:
            self._refuse(connection, self._url.stamp(self._head))

    def end(self, connection: Connection, trailers: Mapping[str, str]) -> Pending:  # noqa: ARG002 (Lambda drops them)
        head, body = self._head, bytes(self._body)
        self._head = None
        self._body.clear()
        return None if head is None else self._invoke(connection, head, body)

    def pause(self) -> None:
        pass

    def broken(self, connection: Connection, error: MalformedMessageError | TruncatedBodyError) -> None:
        if isinstance(error, TruncatedBodyError):
            connection.close()
        else:
            connection.write(encode_json(400, {"Message": str(error)}, ("Connection", "close")))
            connection.linger()

    def left(self, connection: Connection) -> None:
        pass

    def _invoke(self, connection: Connection, head: RequestHead, body: bytes) -> Pending:
        if head.version == "HTTP/1.1" and sum(name == "host" for name, _ in head.headers) != 1:
            raise MalformedMessageError("not one Host (RFC 9112, 3.2)")
        stamp = self._url.stamp(head)
        event = encode_event(build_event(head, body, self._origin, stamp))
        if len(event) <= self._limit:
            return self._url.answer(connection, head, event, stamp)
        self._refuse(connection, stamp)
        return None

    def _refuse(self, connection: Connection, stamp: Stamp) -> None:
        message = f"Request must be smaller than {self._limit} bytes for the InvokeFunction operation"
        error = ("x-amzn-ErrorType", "RequestTooLargeException")
        fields = (*stamp_fields(stamp), error, ("Connection", "close"))
        connection.write(encode_json(413, {"Message": message}, *fields))
        connection.linger()


def stamp_fields(stamp: Stamp) -> Fields:
    """Return the fields by which the service tells the client what it gave a request."""
    return ("x-amzn-RequestId", stamp.request_id), ("X-Amzn-Trace-Id", stamp.trace_id.partition(";")[0])


def _new_trace(now: float) -> str:
    """Return a trace that is not sampled."""
    digits = secrets.token_hex(20)
    return f"Root=1-{int(now):08x}-{digits[:24]};Parent={digits[24:]};Sampled=0"
