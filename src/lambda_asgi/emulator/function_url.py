"""The function URL: an HTTP/1.1 server whose requests become events, answered as the function streams.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html and .../urls-invocation.html
"""

import asyncio
import json
import secrets
from collections.abc import Callable
from email.utils import formatdate
from uuid import uuid4

from .config import FunctionConfig
from .events import Origin, Stamp, build_event, encode_event
from .function import Function
from .invocation import Collector, FunctionError, Invocation, ThrottledError
from .responses import (
    INTEGRATION_TYPE,
    SEPARATOR,
    Fields,
    MalformedResponseError,
    ResponseHead,
    encode_head,
    encode_json,
    parse_buffered,
    parse_prelude,
    remap,
)
from .throttle import Throttle
from .wire import READ_SIZE, Body, Listener, MalformedMessageError, RequestHead, TruncatedBodyError, linger, read_head

_THROTTLED = {
    "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
    "Type": "User",
    "Message": "Rate Exceeded.",
}


class RequestTooLargeError(Exception):
    """The request, or the event made of it, exceeds the limit of an invocation's payload."""


class Exchange:
    """The response's way to one client. A client that has gone is never mentioned to the function.

    What the function sent at once goes out at once, in one packet, when the loop turns or the response ends.
    """

    def __init__(self, writer: asyncio.StreamWriter, request: RequestHead, service_fields: Fields) -> None:
        self._writer = writer
        self._request = request
        self._service_fields = service_fields
        self._chunked = False
        self._silent = False
        self._waiting = bytearray()
        self.begun = False
        self.keep_alive = request.keep_alive

    def begin(self, head: ResponseHead, length: int | None = None) -> None:
        """Send the head of a response, of `length` bytes or as many as come."""
        self.begun = True
        self._silent = head.bodiless or self._request.method == "HEAD"
        self._chunked = length is None and not head.bodiless and self._request.version == "HTTP/1.1"
        self.keep_alive = self.keep_alive and (length is not None or self._chunked or head.bodiless)
        fields = [("Date", formatdate(usegmt=True)), *self._framing(head, length), *self._service_fields]
        self._send(encode_head(head.status, [*fields, *remap(head.headers)]))

    def body(self, data: bytes) -> None:
        """Send a piece of the body."""
        if data and not self._silent:
            self._send(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def end(self) -> None:
        """Send the end of the body."""
        if self._chunked and not self._silent:
            self._send(b"0\r\n\r\n")
        self._flush()

    def cut(self) -> None:
        """Close the connection in mid-response: all that an HTTP client can see of a failure."""
        self.keep_alive = False
        self._flush()
        self._writer.close()

    def fail(self) -> None:
        """Answer 502, or cut what has begun."""
        if self.begun:
            self.cut()
        else:
            self.answer(502, b"Internal Server Error")

    def answer(self, status: int, body: bytes, *fields: tuple[str, str]) -> None:
        """Send a whole response of the service's own."""
        self.begin(ResponseHead(status, (("content-type", "application/json"), *fields)), len(body))
        self.body(body)
        self.end()

    async def drain(self) -> None:
        """Wait until the client has room for more."""
        if len(self._waiting) >= READ_SIZE:
            self._flush()
        try:
            await self._writer.drain()
        except ConnectionError:
            self._silent = True
            self.keep_alive = False

    def _framing(self, head: ResponseHead, length: int | None) -> Fields:
        connection = ("Connection", "keep-alive" if self.keep_alive else "close")
        if self._chunked:
            return connection, ("Transfer-Encoding", "chunked")
        return (connection,) if head.bodiless or length is None else (connection, ("Content-Length", str(length)))

    def _send(self, data: bytes) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting += data

    def _flush(self) -> None:
        if self._waiting and not self._writer.is_closing():
            self._writer.write(bytes(self._waiting))
        self._waiting.clear()


class StreamedResponse:
    """InvokeMode RESPONSE_STREAM: a sink that passes each piece on at once."""

    def __init__(self, exchange: Exchange, prelude_limit: int, throttle: Throttle | None) -> None:
        self._exchange = exchange
        self._limit = prelude_limit
        self._throttle = throttle
        self._prelude: bytearray | None = None
        self._malformed = False

    def start(self, content_type: str) -> None:
        """Expect a prelude, or begin a plain 200 where the function sends bare bytes."""
        if content_type == INTEGRATION_TYPE:
            self._prelude = bytearray()
        else:
            self._exchange.begin(ResponseHead(200, (("content-type", content_type),)))

    async def write(self, data: bytes) -> None:
        """Pass a piece on."""
        if self._throttle is not None:
            await self._throttle.take(len(data))
        if self._prelude is None:
            self._exchange.body(data)
        else:
            self._collect(data)
        await self._exchange.drain()

    def finish(self, error: FunctionError | None) -> None:
        """End the response; without a prelude there is none."""
        if error is None and self._exchange.begun and not self._malformed:
            self._exchange.end()
        elif not self._malformed:
            self._exchange.fail()

    def _collect(self, data: bytes) -> None:
        if self._malformed or self._prelude is None:
            return
        searched = max(len(self._prelude) - len(SEPARATOR) + 1, 0)
        self._prelude += data
        found = self._prelude.find(SEPARATOR, searched)
        if max(found, 0) > self._limit or (found < 0 and len(self._prelude) > self._limit + len(SEPARATOR)):
            self._reject()
        elif found >= 0:
            self._begin(bytes(self._prelude[:found]), bytes(self._prelude[found + len(SEPARATOR) :]))

    def _begin(self, prelude: bytes, body: bytes) -> None:
        try:
            head = parse_prelude(prelude)
        except MalformedResponseError:
            self._reject()
        else:
            self._prelude = None
            self._exchange.begin(head)
            self._exchange.body(body)

    def _reject(self) -> None:
        self._malformed = True
        self._exchange.fail()


class BufferedResponse(Collector):
    """InvokeMode BUFFERED: a sink that answers when all is there."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def finish(self, error: FunctionError | None) -> None:
        """Infer the response and send it."""
        super().finish(error)
        if error is not None:
            self._exchange.fail()
            return
        try:
            head, body = parse_buffered(bytes(self.payload))
        except MalformedResponseError:
            self._exchange.fail()
        else:
            self._exchange.begin(head, len(body))
            self._exchange.body(body)
            self._exchange.end()


class FunctionUrl:
    """Serves a function to the world."""

    def __init__(self, config: FunctionConfig, function: Function, clock: Callable[[], float]) -> None:
        self._config = config
        self._function = function
        self._clock = clock
        self._listener = Listener(self._serve)
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

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        if peer is None:  # it has left already
            return
        client = str(peer[0])
        try:
            while (head := await read_head(reader)) is not None:
                if not await self._answer(head, reader, writer, client):
                    return
        except MalformedMessageError as error:
            writer.write(encode_json(400, {"Message": str(error)}, ("Connection", "close")))
            await linger(reader, writer)
        except TruncatedBodyError:
            return

    async def _answer(
        self, head: RequestHead, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str
    ) -> bool:
        """Serve one request; return whether the connection can serve another."""
        stamp = Stamp(str(uuid4()), _trace_id(head, self._clock()), self._clock())
        fields = (("x-amzn-RequestId", stamp.request_id), ("X-Amzn-Trace-Id", stamp.trace_id.partition(";")[0]))
        try:
            event = await self._read_event(head, reader, writer, Origin(client, self._domain, self._port), stamp)
        except RequestTooLargeError:
            writer.write(_too_large(self._config.limits.request, fields))
            await linger(reader, writer)
            return False
        exchange = Exchange(writer, head, fields)
        try:
            await self._function.invoke(self._invocation(event, exchange, stamp))
        except ThrottledError:
            exchange.answer(429, json.dumps(_THROTTLED).encode(), ("x-amzn-ErrorType", "TooManyRequestsException"))
        await exchange.drain()
        return exchange.keep_alive

    def _invocation(self, event: bytes, exchange: Exchange, stamp: Stamp) -> Invocation:
        limits = self._config.limits
        if self._config.invoke_mode == "BUFFERED":
            buffered = BufferedResponse(exchange)
            return Invocation(stamp.request_id, event, buffered, limits.buffered_response, stamp.trace_id)
        throttle = Throttle(limits.burst, limits.bandwidth) if self._config.throttle else None
        streamed = StreamedResponse(exchange, limits.prelude, throttle)
        return Invocation(stamp.request_id, event, streamed, limits.streamed_response, stamp.trace_id)

    async def _read_event(
        self,
        head: RequestHead,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        origin: Origin,
        stamp: Stamp,
    ) -> bytes:
        """Return the event. Raises RequestTooLargeError, and what a body raises."""
        limit = self._config.limits.request
        body = await _read_body(head, reader, writer, limit)
        if head.version == "HTTP/1.1" and sum(name == "host" for name, _ in head.headers) != 1:
            raise MalformedMessageError("not one Host (RFC 9112, 3.2)")
        event = encode_event(build_event(head, body, origin, stamp))
        if len(event) > limit:
            raise RequestTooLargeError
        return event


def _too_large(limit: int, fields: Fields) -> bytes:
    message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
    error = ("x-amzn-ErrorType", "RequestTooLargeException")
    return encode_json(413, {"Message": message}, *fields, error, ("Connection", "close"))


async def _read_body(
    head: RequestHead, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int
) -> bytes:
    body, received = Body(reader, head), bytearray()
    if (body.length or 0) > limit:
        raise RequestTooLargeError
    if head.header("expect").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    while piece := await body.read():
        received += piece
        if len(received) > limit:
            raise RequestTooLargeError
    return bytes(received)


def _trace_id(head: RequestHead, now: float) -> str:
    """Return the caller's trace, or a new one that is not sampled."""
    given = head.header("x-amzn-trace-id")
    return given or f"Root=1-{int(now):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
