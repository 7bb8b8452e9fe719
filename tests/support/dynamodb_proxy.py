"""A proxy in front of a DynamoDB, which can do something else with a request than pass it on."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

Fault = Callable[["Exchange"], None]

SECRET_MESSAGE = "arn:aws:dynamodb:us-east-1:123456789012:table/auth at http://internal"
"""What the proxy's errors say; nobody must be shown it."""


class Reply(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Exchange(BaseHTTPRequestHandler):
    """One connection of a client; a fault decides what becomes of each request on it."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_POST(self) -> None:
        self.sent = self.rfile.read(int(self.headers["Content-Length"]))
        self.operation = self.headers["X-Amz-Target"].partition(".")[2]
        self.server.proxy.next(self.operation)(self)

    def forward(self) -> Reply:
        """What the real one answers, to one request after the other: moto decides and writes in two steps."""
        upstream = urlsplit(self.server.proxy.upstream)
        with self.server.proxy.one_at_a_time:
            connection = http.client.HTTPConnection(str(upstream.hostname), upstream.port)
            try:
                connection.request("POST", self.path, self.sent, dict(self.headers))
                reply = connection.getresponse()
                return Reply(reply.status, reply.getheaders(), reply.read())
            finally:
                connection.close()

    def answer(self, reply: Reply, cut: int = 0) -> None:
        """Send a reply, or all but its last bytes."""
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) - cut])

    def refuse(self, status: int, code: str) -> None:
        """Answer with an error as DynamoDB writes it; the message is one that nobody must be shown."""
        error = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": SECRET_MESSAGE}
        self.answer(Reply(status, [("Content-Type", "application/x-amz-json-1.0")], json.dumps(error).encode()))

    def drop(self) -> None:
        """End the connection without another byte."""
        self.close_connection = True

    def log_message(self, *_parts: object) -> None:
        pass


def healthy(exchange: Exchange) -> None:
    """Pass it on."""
    exchange.answer(exchange.forward())


class Proxy:
    """Passes requests on to a DynamoDB, or does what a fault says.

    Attributes:
        upstream: URL of the real one.
        url: of the proxy.
        operations: of every request that came, in order.
        one_at_a_time: held while a request is upstream.
        healed: set while nothing is broken.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.operations: list[str] = []
        self.one_at_a_time = threading.Lock()
        self.healed = threading.Event()
        self._always: Fault | None = None
        self._next: list[tuple[str, Fault]] = []
        self._socket = _bound(0)
        self._port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._listen()

    def next(self, operation: str) -> Fault:
        """What becomes of a request that came."""
        self.operations.append(operation)
        for position, (wanted, fault) in enumerate(self._next):
            if wanted in {"", operation}:
                del self._next[position]
                return fault
        return self._always or healthy

    def once(self, fault: Fault, operation: str = "", times: int = 1) -> None:
        """Show a fault for the next requests, or the next of an operation such as `PutItem`."""
        self._next.extend([(operation, fault)] * times)

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """Show a fault for every request while the block runs."""
        self._always = fault
        self.healed.clear()
        try:
            yield
        finally:
            self._always = None
            self.healed.set()

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Listen no more while the block runs: connections are refused, and those there were have ended."""
        self._stop()
        self._socket = _bound(self._port)  # nobody else is to get the port meanwhile
        try:
            yield
        finally:
            self._listen()

    def close(self) -> None:
        """End every connection and every thread."""
        self.healed.set()
        self._stop()

    def _listen(self) -> None:
        self._server = _Server(self, self._socket)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def _stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.end()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, proxy: Proxy, listener: socket.socket) -> None:
        super().__init__(("127.0.0.1", 0), Exchange, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.proxy = proxy
        self._connections: set[socket.socket] = set()
        self.server_activate()

    def process_request(self, request: socket.socket, client_address: object) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone is none of our business."""

    def end(self) -> None:
        """Cut every connection, and wait for their threads."""
        for connection in list(self._connections):
            connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """A proxy in front of a DynamoDB."""
    made = Proxy(upstream)
    try:
        yield made
    finally:
        made.close()
