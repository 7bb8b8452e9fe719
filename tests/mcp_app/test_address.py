"""Who a request comes from, as limits count it: proxies are believed as far as the operator vouches for them."""

from types import SimpleNamespace

import pytest

from mcp_app.address import NOWHERE, UnknownAddressError, client_address_of, issuer_of
from mcp_app.settings import Settings

PEER = "192.0.2.1"


def scope(*forwarded, client=PEER, on_lambda=False):
    lambda_ = {"aws.lambda": {"event": {"requestContext": {}}, "context": SimpleNamespace()}}
    return {
        "type": "http",
        "client": None if client is None else (client, 4711),
        "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded],
        "extensions": lambda_ if on_lambda else {},
    }


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, [], PEER),
        (0, ["203.0.113.9"], PEER),
        (1, [], PEER),
        (1, ["203.0.113.9"], "203.0.113.9"),
        (1, ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        (1, ["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
        (2, ["6.6.6.6, 203.0.113.9, 198.51.100.7"], "203.0.113.9"),
        (2, ["203.0.113.9"], "203.0.113.9"),
        (1, ["203.0.113.9, nonsense"], PEER),
        (1, ["203.0.113.9:4711"], "203.0.113.9"),
        (1, ["[2001:db8::1]:443"], "2001:db8::1"),
        (1, ["::ffff:203.0.113.9"], "203.0.113.9"),
        (1, [""], PEER),
    ],
)
def test_only_what_trusted_proxies_wrote_is_believed(proxies, forwarded, address):
    assert client_address_of(Settings(trusted_proxies=proxies))(scope(*forwarded)) == address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, f"6.6.6.6, {PEER}", PEER),
        (1, f"6.6.6.6, 203.0.113.9, {PEER}", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_function_url_writes_its_own_peer_behind_what_the_edge_wrote(proxies, forwarded, address):
    assert client_address_of(Settings(trusted_proxies=proxies))(scope(forwarded, on_lambda=True)) == address


@pytest.mark.parametrize("client", [None, "", "testclient"])
def test_who_has_no_address_shares_one(client):
    assert client_address_of(Settings())(scope(client=client)) == NOWHERE


def test_the_issuer_is_the_public_url_without_a_slash():
    assert issuer_of(Settings(public_url="https://mcp.example.com/"))(scope()) == "https://mcp.example.com"


def test_an_issuer_is_never_guessed():
    with pytest.raises(UnknownAddressError, match="PUBLIC_URL is not set"):
        issuer_of(Settings(lambda_function="mcp"))(scope(on_lambda=True))
