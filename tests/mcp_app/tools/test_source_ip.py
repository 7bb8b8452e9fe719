import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_app.tools.client_address import client_address, parse_address
from mcp_app.tools.context import RequestInfo
from tests.support.calls import call, idle_clients, text_of

FORWARDED = "X-Forwarded-For"
REAL = "X-Real-IP"


@pytest.mark.anyio
async def test_the_leftmost_forwarded_address_is_the_source() -> None:
    request = RequestInfo(headers=((FORWARDED, "203.0.113.42, 198.51.100.7"),), client="10.0.0.1")
    outcome = await call("get_source_ip", {}, idle_clients(), request=request)
    assert text_of(outcome) == "Your source IP address: 203.0.113.42"
    assert outcome.structured == {
        "ip": "203.0.113.42",
        "version": 4,
        "behind_proxy": True,
        "source": "x-forwarded-for",
    }


@pytest.mark.anyio
async def test_without_any_address_it_says_so() -> None:
    outcome = await call("get_source_ip", None, idle_clients(), request=RequestInfo())
    assert text_of(outcome) == "Your source IP address: unknown"
    assert outcome.structured == {"ip": None, "version": None, "behind_proxy": False, "source": None}


@pytest.mark.parametrize(
    ("headers", "ip", "source", "proxied"),
    [
        ((), "192.0.2.9", "connection", False),
        (((REAL, "203.0.113.5"),), "203.0.113.5", "x-real-ip", True),
        (((REAL, "203.0.113.5"), (FORWARDED, "203.0.113.6")), "203.0.113.6", "x-forwarded-for", True),
        (((FORWARDED, "unknown, _hidden, 203.0.113.6"),), "203.0.113.6", "x-forwarded-for", True),
        (((FORWARDED, "garbage"), (REAL, "203.0.113.5")), "203.0.113.5", "x-real-ip", True),
        (((FORWARDED, ""),), "192.0.2.9", "connection", True),
        (((FORWARDED, "x"), (FORWARDED, "2001:db8::1")), "2001:db8::1", "x-forwarded-for", True),
        ((("via", "1.1 proxy"),), "192.0.2.9", "connection", True),
    ],
)
def test_headers_come_before_the_connection(
    headers: tuple[tuple[str, str], ...], ip: str, source: str, proxied: bool
) -> None:
    found = client_address(RequestInfo(headers=headers, client="192.0.2.9"))
    assert (found.ip, found.source, found.behind_proxy) == (ip, source, proxied)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.42", "203.0.113.42"),
        (" 203.0.113.42 ", "203.0.113.42"),
        ("203.0.113.42:4711", "203.0.113.42"),
        ('"203.0.113.42:4711"', "203.0.113.42"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:203.0.113.42", "203.0.113.42"),
        ("", None),
        ("unknown", None),
        ("_secret", None),
        ("256.1.1.1", None),
        ("1.2.3", None),
        ("01.2.3.4", None),
        ("203.0.113.42/24", None),
        ("[", None),
        ("::1::", None),
    ],
)
def test_addresses_as_proxies_write_them(text: str, address: str | None) -> None:
    assert parse_address(text) == address


@given(st.ip_addresses(), st.integers(1, 65535), st.lists(st.text(), max_size=4))
def test_a_written_address_is_found_whatever_stands_around_it(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, noise: list[str]
) -> None:
    written = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    ignored = [text for text in noise if all(parse_address(part) is None for part in text.split(","))]
    request = RequestInfo(headers=((FORWARDED, ",".join([*ignored, written, "192.0.2.1"])),))
    mapped = getattr(address, "ipv4_mapped", None)
    assert client_address(request).ip == str(mapped or address)


@given(st.text())
def test_what_is_taken_for_an_address_is_one(text: str) -> None:
    found = parse_address(text)
    assert found is None or str(ipaddress.ip_address(found)) == found
