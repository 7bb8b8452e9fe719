"""Records that another version wrote, which runs beside this one while a new one is rolled out."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from auth import records
from auth.records import Attempts, Client, Code, Grant, KeySet, LoginSession, Revocation, SigningKey, User, Username

CODE = Code("hash", "challenge", "https://app.example/callback", 60, redeemed=30)
GRANT = Grant("g", "u", 1, "c", "An app", ("mcp.read",), "https://mcp.example/mcp", 0)
RECORDS: list[tuple[Callable[[bytes], Any], Any]] = [
    (records.user, User("u", "alice", 1, "hash", 0)),
    (records.username, Username("u")),
    (records.attempts, Attempts(1, 2)),
    (records.client, Client("c", "An app", "dcr", ("https://app.example/callback",), (), (), "none", None, 0)),
    (records.grant, GRANT._replace(code=CODE, revoked=Revocation(40, "user"), rotations=(1, 2))),
    (records.login_session, LoginSession("u", 1, 0, 60)),
    (records.key_set, KeySet((SigningKey("k", "RS256", {"kty": "RSA"}, "pem:file", 0),))),
]


def newer(stored: Any) -> Any:
    """What a later version may have written: one more member in every object that this version gives a meaning."""
    if isinstance(stored, list):
        return [newer(item) for item in stored]
    if not isinstance(stored, dict) or "kty" in stored:
        return stored
    return {**{name: newer(value) for name, value in stored.items()}, "invented_later": {"of": ["anything"]}}


@pytest.mark.parametrize(("read", "record"), RECORDS, ids=[type(record).__name__ for _, record in RECORDS])
def test_members_that_a_newer_version_wrote_are_left_aside_at_every_level(read, record):
    written = records.encode(record)
    assert read(written) == record
    assert read(json.dumps(newer(json.loads(written))).encode()) == record


@pytest.mark.parametrize(("read", "record"), RECORDS[:-1], ids=[type(record).__name__ for _, record in RECORDS[:-1]])
def test_members_that_a_newer_version_wrote_are_kept_at_every_level(read, record):
    written = json.dumps(newer(json.loads(records.encode(record)))).encode()
    assert json.loads(records.encode(read(written), written)) == json.loads(written)


def test_what_this_version_knows_is_as_this_version_writes_it():
    revoked = GRANT._replace(code=CODE, revoked=Revocation(40, "user"), rotations=(1, 2))
    before = json.dumps(newer(json.loads(records.encode(revoked)))).encode()
    after = GRANT._replace(code=CODE._replace(redeemed=None), rotations=(3,))
    assert records.grant(records.encode(after, before)) == after


def test_members_that_an_older_version_did_not_write_have_their_defaults():
    written = json.loads(records.encode(GRANT))
    for name in Grant._field_defaults:
        del written[name]
    assert records.grant(json.dumps(written).encode()) == GRANT
