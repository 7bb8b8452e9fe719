"""The container door, by the sample request and by its signals."""

import signal
import socket
import threading
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handlers import container
from tests.support.command import running
from tests.support.serve import served

REQUEST = Path("events/container.http").read_bytes()


def test_the_sample_request_calls_a_tool() -> None:
    with running("serve", "--auth", "noauth") as server:
        url = httpx2.URL(server.url)
        with socket.create_connection((url.host, url.port)) as connection:
            connection.sendall(REQUEST.replace(b"127.0.0.1:8000", f"127.0.0.1:{url.port}".encode()))
            reply = b"".join(iter(lambda: connection.recv(65536), b""))
    assert reply.startswith(b"HTTP/1.1 200")
    assert b'"Hello, MCP!"' in reply


def test_a_request_under_way_is_answered_before_the_end() -> None:
    with running("serve", "--auth", "noauth") as server:
        url = httpx2.URL(server.url)
        head, body = REQUEST.replace(b"127.0.0.1:8000", f"127.0.0.1:{url.port}".encode()).split(b"\n\n", 1)
        with socket.create_connection((url.host, url.port)) as connection:
            connection.sendall(head + b"\n\n" + body[:10])
            # The server answers another client, so it has read what came before from this one.
            httpx2.get(f"{server.url}/healthz")
            stopping = threading.Thread(target=server.stop, args=[signal.SIGTERM])
            stopping.start()
            connection.sendall(body[10:])
            reply = b"".join(iter(lambda: connection.recv(65536), b""))
            stopping.join()
    assert reply.startswith(b"HTTP/1.1 200")


class Upstream:
    """OpenAI, taking its time: it answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.go_on = threading.Event(), threading.Event()
        self.app = Starlette(routes=[Route("/v1/responses", self._respond, methods=["POST"])])

    def _respond(self, _request: Request) -> Response:
        self.asked.set()
        self.go_on.wait(30)
        return Response("later", 401)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_under_way_is_finished_before_the_end(number: signal.Signals) -> None:
    upstream = Upstream()
    params = {"name": "web_search", "arguments": {"query": "x"}, "_meta": {"progressToken": 1}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    accept = {"accept": "application/json, text/event-stream"}
    with served(upstream.app) as openai:
        variables = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{openai}/v1"}
        with (
            running("serve", "--auth", "noauth", env=variables) as server,
            httpx2.stream("POST", f"{server.url}/mcp", json=body, headers=accept) as reply,
        ):
            assert upstream.asked.wait(30)
            server.process.send_signal(number)
            threading.Timer(1, upstream.go_on.set).start()  # the library looks for a signal twice a second
            assert "OpenAI refused this server's key" in reply.read().decode()
            assert server.process.wait(30) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_answers_are_not_held_back(host: str) -> None:
    with container.listen(host, 0) as listener, socket.create_connection(listener.getsockname()[:2]):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
