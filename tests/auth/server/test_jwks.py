"""The public keys, as a client fetches them."""

import jwt

from auth.server.config import Config
from store.sqlite import SqliteStore
from tests.support.auth_server import Clock, auth_server
from tests.support.oauth_keys import make_keys, put_file, put_set, signing_key

PATH = "/.well-known/jwks.json"


def running(tmp_path, **settings):
    clock = Clock()
    store = SqliteStore(tmp_path / "auth.db", clock)
    return auth_server(tmp_path, clock=clock, store=store, keys=make_keys(store, clock, folder=tmp_path, **settings))


def test_the_keys_are_public_cacheable_and_known_by_a_tag(tmp_path):
    with running(tmp_path) as auth:
        auth.call(put_set, auth.server.store, signing_key())
        put_file(tmp_path, signing_key())
        reply = auth.client.get(PATH)
        token = auth.call(auth.server.keys.sign, {"a": 1}, {})
        again = auth.client.get(PATH, headers={"If-None-Match": reply.headers["ETag"]})
    assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "public, max-age=10")
    assert reply.headers["Content-Type"] == "application/json"
    key = jwt.PyJWKSet.from_dict(reply.json())[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, algorithms=["RS256"]) == {"a": 1}
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", reply.headers["ETag"])


def test_another_set_has_another_tag(tmp_path):
    with running(tmp_path) as auth:
        before = auth.client.get(PATH)
        auth.call(auth.server.keys.rotate)
        after = auth.client.get(PATH, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert [len(reply.json()["keys"]) for reply in (before, after)] == [1, 2]


def test_the_first_to_ask_finds_a_key(tmp_path):
    with running(tmp_path) as auth:
        assert len(auth.client.get(PATH).json()["keys"]) == 1


def test_19_with_a_shared_secret_there_are_no_keys(tmp_path):
    with auth_server(tmp_path, config=Config()) as auth:
        reply = auth.client.get(PATH)
    assert (reply.status_code, reply.json()["error"]) == (404, "not_found")
    assert reply.headers["Cache-Control"] == "no-store"


def test_keys_that_cannot_be_made_are_unavailable_for_now(tmp_path):
    clock = Clock()
    store = SqliteStore(tmp_path / "auth.db", clock)
    with auth_server(tmp_path, clock=clock, store=store, keys=make_keys(store, clock)) as auth:
        reply = auth.client.get(PATH)
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")
    assert reply.json() == {
        "error": "temporarily_unavailable",
        "error_description": "The server cannot use its keys now. Try again.",
    }
