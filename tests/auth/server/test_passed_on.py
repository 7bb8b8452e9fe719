"""A laptop's server behind a tunnel is a public one, whatever it knows of that."""

import pytest
from starlette.requests import Request

from auth.server.passed_on import from_elsewhere
from tests.support.auth_server import auth_server
from tests.support.visitor import Visitor, fields


def request(*headers: tuple[str, str], client: str | None = "127.0.0.1") -> Request:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return Request({"type": "http", "headers": raw, "client": (client, 1) if client else None})


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", None])
def test_this_machine_is_here(client):
    assert not from_elsewhere(request(client=client))
    assert not from_elsewhere(request(("X-Forwarded-For", "127.0.0.1, ::1"), client=client))


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-For", "127.0.0.1, 192.0.2.1"),
        ("X-Forwarded-For", "unknown"),
        ("X-Forwarded-For", ""),
        ("X-Forwarded-For", "\xff"),
        ("X-Real-IP", "2001:db8::1"),
        ("CF-Connecting-IP", "192.0.2.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("Via", "1.1 proxy"),
    ],
)
def test_what_is_passed_on_is_from_elsewhere(header):
    assert from_elsewhere(request(header))


def test_another_machine_is_elsewhere():
    assert from_elsewhere(request(client="192.0.2.1"))
    assert from_elsewhere(request(client="::ffff:192.0.2.1"))


def test_must_24_the_published_password_opens_nothing_through_a_tunnel(tmp_path):
    with auth_server(tmp_path) as running:
        running.call(running.server.users.add_default, public=False)
        visitor = Visitor(running)
        form = fields(visitor.get("/login")) | {"username": "mcpuser", "password": "OMG!letmein"}
        assert visitor.post("/login", form, x_forwarded_for="192.0.2.1").status_code == 403
        assert Visitor(running).sign_in("mcpuser", "OMG!letmein").status_code == 303
