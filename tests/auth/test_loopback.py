import pytest

from auth.loopback import is_loopback


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:8000", True),
        ("http://127.0.0.1", True),
        ("http://127.8.9.1:1", True),
        ("http://[::1]:8000", True),
        ("http://0.0.0.0:8000", False),
        ("http://10.0.0.1:8000", False),
        ("https://mcp.example.com", False),
        ("http://localhost.evil.example", False),
        ("https://127.0.0.1.example.com", False),
        ("http://mcpx.localhost", False),
        ("null", False),
        ("", False),
        ("http://[broken", False),
    ],
)
def test_loopback_is_told_by_the_host(url, loopback):
    assert is_loopback(url) is loopback
