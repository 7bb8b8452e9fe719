"""What the Lambda Web Adapter does, between the Runtime API and a web server on a loopback port.

It waits until the server accepts connections, then takes one invocation after the other: GET /next, the event's HTTP
request to the server, the server's response as a streamed one to the Runtime API. Blocking sockets, both connections
kept alive, nothing imported but what that takes: it is to cost the server behind it as little as the adapter does.

Source: https://github.com/awslabs/aws-lambda-web-adapter
"""

import json
import os
import socket
import time
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

READY_INTERVAL = 0.002
"""Seconds between two looks at whether the server is up; the adapter itself takes 0.010."""

_INVOCATION = "/2018-06-01/runtime/invocation"
_NOT_FORWARDED = frozenset({"connection", "content-length", "host", "transfer-encoding"})

Headers = dict[str, str]


class Connection:
    """One kept-alive HTTP/1.1 connection."""

    def __init__(self, host: str, port: int) -> None:
        self.authority = f"{host}:{port}"
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def head(self) -> tuple[int, Headers]:
        """Read a response's status and headers, names in lower case."""
        status = int(self._reader.readline().split()[1])
        lines = iter(self._reader.readline, b"\r\n")
        fields = (line.decode("latin-1").partition(":") for line in lines)
        return status, {name.lower(): value.strip() for name, _, value in fields}

    def body(self, headers: Headers) -> Iterator[bytes]:
        """Read a response's body, piece by piece as it comes."""
        if "chunked" not in headers.get("transfer-encoding", ""):
            yield self._reader.read(int(headers.get("content-length", "0")))
            return
        while size := int(self._reader.readline(), 16):
            yield self._reader.read(size)
            self._reader.readline()
        self._reader.readline()


def wait_for(port: int) -> Connection:
    """Connect to the server as soon as it listens."""
    while True:
        try:
            return Connection("127.0.0.1", port)
        except ConnectionRefusedError:
            time.sleep(READY_INTERVAL)


def http_request(event: dict[str, Any], authority: str) -> bytes:
    """A function URL's event as the HTTP request that it was."""
    body = event.get("body") or ""
    content = b64decode(body) if event.get("isBase64Encoded") else body.encode()
    query = event.get("rawQueryString")
    target = f"{event['rawPath']}?{query}" if query else event["rawPath"]
    lines = [f"{event['requestContext']['http']['method']} {target} HTTP/1.1", f"host: {authority}"]
    lines += [f"{name}: {value}" for name, value in event["headers"].items() if name not in _NOT_FORWARDED]
    lines += [f"content-length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + content


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def streamed_head(request_id: str, authority: str, status: int, headers: Headers) -> bytes:
    """The head of the streamed response, and its prelude."""
    kept = {name: value for name, value in headers.items() if name not in _NOT_FORWARDED}
    prelude = json.dumps({"statusCode": status, "headers": kept, "cookies": []}).encode()
    lines = [
        f"POST {_INVOCATION}/{request_id}/response HTTP/1.1",
        f"host: {authority}",
        "content-type: application/vnd.awslambda.http-integration-response",
        "lambda-runtime-function-response-mode: streaming",
        "transfer-encoding: chunked",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + chunk(prelude) + chunk(bytes(8))


def serve_one(runtime: Connection, server: Connection) -> None:
    """Take one invocation, from /next to the Runtime API's receipt."""
    runtime.send(f"GET {_INVOCATION}/next HTTP/1.1\r\nhost: {runtime.authority}\r\n\r\n".encode())
    _, headers = runtime.head()
    event = json.loads(b"".join(runtime.body(headers)))
    server.send(http_request(event, server.authority))
    status, answer = server.head()
    pending = streamed_head(headers["lambda-runtime-aws-request-id"], runtime.authority, status, answer)
    for piece in server.body(answer):
        runtime.send(pending + (chunk(piece) if piece else b""))
        pending = b""
    runtime.send(pending + b"0\r\n\r\n")
    _, headers = runtime.head()
    b"".join(runtime.body(headers))


def main() -> None:
    """Serve until the sandbox ends."""
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
    server = wait_for(int(os.environ["PORT"]))
    runtime = Connection(host, int(port))
    while True:
        serve_one(runtime, server)


if __name__ == "__main__":
    main()
