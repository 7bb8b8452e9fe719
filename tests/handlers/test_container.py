"""The container door, by the sample request and by its signals."""

import signal
import socket
import threading
from pathlib import Path

import httpx2
import pytest

from handlers import container
from tests.support.command import running

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


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_answers_are_not_held_back(host: str) -> None:
    with container.listen(host, 0) as listener, socket.create_connection(listener.getsockname()[:2]):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
