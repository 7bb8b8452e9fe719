"""Whether a URL leads to the machine that it is on."""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit


@lru_cache(maxsize=256)  # asked for every request, of few URLs
def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine only."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
