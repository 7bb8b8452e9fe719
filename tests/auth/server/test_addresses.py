import socket

import pytest

from auth.server.addresses import Address, NotPublicError, is_public, public_addresses

SPECIAL = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "2620:4f:8000::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "localhost",
    "",
    "0x7f.0.0.1",
    "127.1",
    "8.8.8.8.8",
]


@pytest.mark.parametrize("address", SPECIAL)
def test_must_not_13_an_address_that_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.1",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2001:4860:4860::8888",
        "2003::1",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
    ],
)
def test_an_address_that_is_public(address):
    assert is_public(address)


def answers(*addresses):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]


@pytest.mark.anyio
async def test_a_name_is_looked_up_once_for_all_its_addresses():
    asked = []

    def lookup(host, port):
        asked.append((host, port))
        return answers("8.8.8.8", "2606:4700:4700::1111", "8.8.8.8")

    found = await public_addresses("client.example", 443, lookup=lookup)
    assert found == (Address("8.8.8.8", 443), Address("2606:4700:4700::1111", 443))
    assert asked == [("client.example", 443)]


@pytest.mark.anyio
@pytest.mark.parametrize("address", SPECIAL)
async def test_must_not_13_one_address_that_is_not_public_spoils_the_name(address):
    for order in (("8.8.8.8", address), (address, "8.8.8.8")):
        with pytest.raises(NotPublicError):
            await public_addresses("client.example", 443, lookup=lambda host, port, order=order: answers(*order))


@pytest.mark.anyio
async def test_a_name_without_addresses_leads_nowhere():
    def unknown(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    def odd(host, port):
        raise UnicodeError

    for lookup in (unknown, odd, lambda host, port: []):
        with pytest.raises(NotPublicError):
            await public_addresses("client.example", 443, lookup=lookup)


@pytest.mark.anyio
async def test_must_not_13_the_systems_own_names_for_this_machine_are_refused():
    with pytest.raises(NotPublicError):
        await public_addresses("localhost", 443)
