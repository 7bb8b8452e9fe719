"""A response's way to the function URL's client, streamed or buffered."""

import asyncio
import time
from email.utils import formatdate
from functools import lru_cache

from .http_connection import Connection, Pending
from .invocation import Collector, FunctionError
from .responses import (
    INTEGRATION_TYPE,
    SEPARATOR,
    MalformedResponseError,
    ResponseHead,
    encode_head,
    parse_buffered,
    parse_prelude,
    remap,
)
from .throttle import Throttle
from .wire import READ_SIZE, Fields, RequestHead


class Exchange:
    """The response's way to one client. A client that has gone is never mentioned to the function.

    What the function sent at once goes out at once, in one packet. The connection, which is held meanwhile, goes on to
    its next request when the response is over.
    """

    def __init__(self, connection: Connection, request: RequestHead, service_fields: Fields) -> None:
        self._connection = connection
        self._request = request
        self._service_fields = service_fields
        self._chunked = False
        self._silent = False
        self._over = False
        self._waiting = bytearray()
        self._keep_alive = request.keep_alive
        self.begun = False

    def begin(self, head: ResponseHead, length: int | None = None) -> None:
        """Send the head of a response, of `length` bytes or as many as come."""
        self.begun = True
        self._silent = head.bodiless or self._request.method == "HEAD"
        self._chunked = length is None and not head.bodiless and self._request.version == "HTTP/1.1"
        self._keep_alive = self._keep_alive and (length is not None or self._chunked or head.bodiless)
        fields = [("Date", _date(int(time.time()))), *self._framing(head, length), *self._service_fields]
        self._send(encode_head(head.status, [*fields, *remap(head.headers)]))

    def body(self, data: bytes) -> None:
        """Send a piece of the body."""
        if data and not self._silent:
            self._send(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def end(self) -> None:
        """Send the end of the body."""
        if self._chunked and not self._silent:
            self._send(b"0\r\n\r\n")
        self._conclude(keep=self._keep_alive)

    def answer(self, status: int, body: bytes, *fields: tuple[str, str]) -> None:
        """Send a whole response of the service's own."""
        self.begin(ResponseHead(status, (("content-type", "application/json"), *fields)), len(body))
        self.body(body)
        self.end()

    def cut(self) -> None:
        """Close the connection in mid-response: all that an HTTP client can see of a failure."""
        self._conclude(keep=False)

    def fail(self) -> None:
        """Answer 502, or cut what has begun."""
        if self.begun:
            self.cut()
        else:
            self.answer(502, b"Internal Server Error")

    def flush(self) -> None:
        """Send what was kept to leave in one packet."""
        if self._waiting:
            self._connection.write(bytes(self._waiting))
            self._waiting.clear()

    def room(self) -> Pending:
        """Return what to wait for until the client has room for more."""
        if len(self._waiting) >= READ_SIZE:
            self.flush()
        return self._connection.drain() if self._connection.congested else None

    def _framing(self, head: ResponseHead, length: int | None) -> Fields:
        connection = ("Connection", "keep-alive" if self._keep_alive else "close")
        if self._chunked:
            return connection, ("Transfer-Encoding", "chunked")
        return (connection,) if head.bodiless or length is None else (connection, ("Content-Length", str(length)))

    def _send(self, data: bytes) -> None:
        if not self._over:
            self._waiting += data

    def _conclude(self, *, keep: bool) -> None:
        if self._over:
            return
        self.flush()
        self._over = True
        if not keep:
            self._connection.close()
        elif self._connection.congested:
            self._connection.wait(self._connection.drain())
        self._connection.resume()


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

    def write(self, data: bytes) -> Pending:
        """Pass a piece on."""
        if self._throttle is not None and (delay := self._throttle.delay(len(data))):
            return self._write_later(data, delay)
        self._take(data)
        return self._exchange.room()

    def flush(self) -> None:
        """Send what came."""
        self._exchange.flush()

    def finish(self, error: FunctionError | None) -> None:
        """End the response; without a prelude there is none."""
        if error is None and self._exchange.begun and not self._malformed:
            self._exchange.end()
        elif not self._malformed:
            self._exchange.fail()

    async def _write_later(self, data: bytes, delay: float) -> None:
        self._exchange.flush()
        await asyncio.sleep(delay)
        self._take(data)
        self._exchange.flush()
        if (pending := self._exchange.room()) is not None:
            await pending

    def _take(self, data: bytes) -> None:
        if self._prelude is None:
            self._exchange.body(data)
        else:
            self._collect(data)

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


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
