"""It starts at once, ends at once, and says how it is reached."""

import socket
import threading
import time

import httpx2
import pytest

from sandbox import running
from tests.sandbox.caller import API, visitor


def test_it_ends_while_somebody_waits():
    failed = []

    def wait(url):
        try:
            client.get(f"{url}{API}/companies")
        except httpx2.TransportError as error:
            failed.append(error)

    with httpx2.Client(trust_env=False, timeout=20) as client:
        with running() as sandbox:
            client.get(sandbox.url)
            sandbox.fail("api", "slow")
            waiting = threading.Thread(target=wait, args=(sandbox.url,))
            waiting.start()
            while not sandbox.requests:
                time.sleep(0.01)
            started = time.monotonic()
        assert time.monotonic() - started < 5
        waiting.join()
    assert failed


def test_it_takes_the_port_that_it_is_given():
    with running() as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), running(port=port):
            pass
    with running(port=port) as again:
        assert again.url == f"http://127.0.0.1:{port}"


def test_it_listens_on_all_addresses_if_told():
    with running("0.0.0.0") as sandbox, visitor(sandbox) as client:
        assert sandbox.url.startswith("http://127.0.0.1:")
        assert client.get("/").status_code == 200


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
def test_it_listens_on_ipv6():
    with running("::1") as sandbox, visitor(sandbox) as client:
        assert sandbox.url.startswith("http://[::1]:")
        assert client.get("/").status_code == 200


def test_its_settings_lead_to_it(sandbox):
    settings = sandbox.settings()
    assert settings.pop("PRESET") == "neonpanel"
    assert settings.pop("NEONPANEL_TOKEN_PASSTHROUGH") == "false"
    secret = (settings.pop("NEONPANEL_CLIENT_ID"), settings.pop("NEONPANEL_CLIENT_SECRET"))
    assert all(value.startswith(sandbox.url) for value in settings.values())
    with visitor(sandbox) as client:
        fields = {"grant_type": "client_credentials"}
        assert client.post(settings["NEONPANEL_OAUTH_TOKEN_URL"], data=fields, auth=secret).status_code == 200
        assert client.get(settings["PROVIDER_JWKS_URI"]).json()["keys"]


def test_it_keeps_what_it_received(sandbox):
    with visitor(sandbox, **{"X-Test": "1"}) as client:
        client.post(f"{API}/caf%C3%A9?a=1&a=2&b=", content=b"body")
        client.get("/")
    (received,) = sandbox.requests
    assert (received.area, received.method, received.path) == ("api", "POST", f"{API}/café")
    assert received.query == [("a", "1"), ("a", "2"), ("b", "")]
    assert (received.headers["x-test"], received.body, received.status) == ("1", b"body", 404)


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("/auth/user-jwt", "user_jwt"),
        ("/auth/introspect", "introspect"),
        ("/oauth2/token", "token"),
        ("/oauth2/authorize", "authorize"),
        ("/oauth2/register/x", "register"),
        ("/.well-known/jwks.json", "jwks"),
        ("/.well-known/openid-configuration", "metadata"),
        ("/.well-known/other", "other"),
    ],
)
def test_each_path_has_its_area(sandbox, path, area):
    with visitor(sandbox) as client:
        client.get(path)
    assert [received.area for received in sandbox.requests] == [area]
