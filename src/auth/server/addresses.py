"""Where a metadata document may be fetched: from public addresses, by a name that leads nowhere else."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import anyio.to_thread

_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services, its metadata among them
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: holds an IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
"""IANA's special-purpose registries (RFC 6890), and what clouds keep at addresses that look public."""

_UNICAST: Final = ipaddress.ip_network("2000::/3")
"""The global unicast addresses of IPv6; everything else is mapped, translated (NAT64), local or unassigned."""


class Address(NamedTuple):
    """What to connect to: an IP address as text, and a port."""

    host: str
    port: int


class NotPublicError(Exception):
    """A name has no address, or one that is not public."""


Lookup = Callable[[str, int], Sequence[tuple[Any, ...]]]


def system_lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    """What the system's resolver says of a name, as `socket.getaddrinfo` gives it."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)


async def public_addresses(host: str, port: int, *, lookup: Lookup = system_lookup) -> tuple[Address, ...]:
    """The addresses of a name, resolved once; whoever connects, connects to these.

    Raises:
        NotPublicError: there is none, or any of them is not public.
    """
    try:
        answers = await anyio.to_thread.run_sync(lookup, host, port, abandon_on_cancel=True)
    except (OSError, UnicodeError):
        raise NotPublicError from None
    hosts = dict.fromkeys(str(answer[4][0]) for answer in answers)
    if not hosts or not all(map(is_public, hosts)):
        raise NotPublicError
    return tuple(Address(found, port) for found in hosts)


def is_public(address: str) -> bool:
    """Whether an IP address is one that the internet routes to somebody else's machine."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and (found not in _UNICAST or found.scope_id):
        return False
    return not any(found in network for network in _NOT_PUBLIC)
