"""Whether a request came from this machine, or was passed on by something that others reach."""

import ipaddress
from typing import Final

from starlette.requests import Request

_LISTS: Final = ("x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip")
_SIGNS: Final = ("forwarded", "via")


def from_elsewhere(request: Request) -> bool:
    """Whether another machine is behind a request, as far as it shows.

    A tunnel or a proxy makes a server public that does not know it; most of them say for whom they ask. What a client
    writes there itself can only close a door to it.
    """
    if any(sign in request.headers for sign in _SIGNS):
        return True
    peer = [request.client.host] if request.client else []
    named = [part for name in _LISTS for value in request.headers.getlist(name) for part in value.split(",")]
    return not all(map(_here, [*peer, *named]))


def _here(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address.strip())
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
