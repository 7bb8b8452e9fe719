"""Where a request comes from, as far as its headers and its connection tell."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from mcp_app.tools.context import RequestInfo

Evidence = Literal["x-forwarded-for", "x-real-ip", "connection"]

_PROXY_HEADERS: Final = frozenset({"forwarded", "via", "x-forwarded-for", "x-real-ip"})


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """The apparent source of a request.

    Attributes:
        ip: the address without port, brackets or zone; None where nothing valid is known.
        version: 4 or 6.
        source: what it was taken from.
        behind_proxy: whether any header says that a proxy passed the request on.
        forwarded_for: the valid addresses of X-Forwarded-For, the client first.
        connection: the peer of the connection itself, the nearest proxy where there is one.
    """

    ip: str | None
    version: Literal[4, 6] | None
    source: Evidence | None
    behind_proxy: bool
    forwarded_for: tuple[str, ...]
    connection: str | None


def client_address(request: RequestInfo) -> ClientAddress:
    """The leftmost valid address of X-Forwarded-For, else X-Real-IP, else the connection's peer.

    Whoever sends a request can also send these headers: the answer is what appears to be, never a proof.
    """
    forwarded = tuple(_addresses(request, "x-forwarded-for"))
    connection = parse_address(request.client or "")
    found: tuple[tuple[Evidence, str | None], ...] = (
        ("x-forwarded-for", next(iter(forwarded), None)),
        ("x-real-ip", next(_addresses(request, "x-real-ip"), None)),
        ("connection", connection),
    )
    source, ip = next(((source, ip) for source, ip in found if ip), (None, None))
    return ClientAddress(
        ip=ip,
        version=ipaddress.ip_address(ip).version if ip else None,
        source=source,
        behind_proxy=any(name.lower() in _PROXY_HEADERS for name, _ in request.headers),
        forwarded_for=forwarded,
        connection=connection,
    )


def parse_address(text: str) -> str | None:
    """An IPv4 or IPv6 address in its shortest form, out of what proxies write; None for anything else.

    Ports (`192.0.2.1:4711`, `[2001:db8::1]:443`), brackets, quotes and zones (`fe80::1%eth0`) are stripped, and an
    IPv4 address mapped into IPv6 is given as IPv4.
    """
    try:
        address = ipaddress.ip_address(_bare(text.strip().strip('"').strip()))
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _bare(text: str) -> str:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return text.partition("%")[0]


def _addresses(request: RequestInfo, name: str) -> Iterator[str]:
    values = (value for key, value in request.headers if key.lower() == name)
    parsed = (parse_address(part) for value in values for part in value.split(","))
    return (address for address in parsed if address)
