"""Bodies around the limit, over a real connection."""

import itertools
import socket

import httpx2
import pytest

from mcp_app.app import create_app
from mcp_app.settings import Settings
from tests.support.serve import served

LIMIT = 4_000_000
HEAD = "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n"


def answer(url: str, framing: str, *parts: bytes) -> bytes:
    address = httpx2.URL(url)
    with socket.create_connection((address.host, address.port or 80)) as connection:
        connection.sendall(f"{HEAD}{framing}\r\n\r\n".encode())
        for part in parts:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def url():
    with served(create_app(Settings(auth_mode="noauth", log_level="CRITICAL", max_body_bytes=LIMIT))) as url:
        yield url


@pytest.mark.parametrize("size", [LIMIT + 1, 2 * LIMIT])
def test_who_sends_a_body_too_large_reads_why_it_was_refused(url, size):
    assert answer(url, f"Content-Length: {size}", b"x" * size).startswith(b"HTTP/1.1 413 ")
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size)
    assert answer(url, "Transfer-Encoding: chunked", chunk).startswith(b"HTTP/1.1 413 ")


def test_a_body_far_too_large_is_refused_unread(url):
    assert answer(url, f"Content-Length: {2 * LIMIT + 1}").startswith(b"HTTP/1.1 413 ")


def test_a_body_without_end_is_refused(url):
    endless = itertools.repeat(b"10000\r\n%b\r\n" % (b"x" * 65536))
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        answer(url, "Transfer-Encoding: chunked", *itertools.islice(endless, 3000))
