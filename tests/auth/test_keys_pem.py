"""Signing keys in files: who may read them, and what a wrong one is answered with."""

import os
import stat
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from auth.keys.errors import KeyUnavailableError
from auth.keys.keys import Keys
from auth.records import SigningKey
from tests.support.oauth_keys import make_keys, pem, private_key, put_file, put_set, signing_key

pytestmark = pytest.mark.anyio


async def signing_with(store, clock, folder, key: SigningKey, *, data: bytes | None) -> Keys:
    await put_set(store, key)
    if data is not None:
        (folder / key.private.removeprefix("pem:")).write_bytes(data)
    return make_keys(store, clock, folder=folder)


async def test_the_folder_and_the_file_are_the_owners_alone(store, clock, tmp_path):
    folder = tmp_path / "made" / "later"
    before = os.umask(0)
    try:
        await make_keys(store, clock, folder=folder).sign({}, {})
    finally:
        os.umask(before)
    (path,) = folder.iterdir()
    assert [stat.S_IMODE(place.stat().st_mode) for place in (path, folder)] == [0o600, 0o700]


START_SCRIPT = """
import anyio, sys, pathlib
from auth.keys.keys import Keys
from store.sqlite import SqliteStore

async def main(folder):
    store = SqliteStore(folder / "auth.db")
    keys = Keys(store, folder=folder, kms_key=None, hmac_secret=None, access_token=60)
    print(await keys.sign({}, {"typ": "at+jwt"}))
    await store.aclose()

anyio.run(main, pathlib.Path(sys.argv[1]))
"""


def test_processes_that_start_together_sign_with_one_key(tmp_path):
    folder = tmp_path / "data"
    command = [sys.executable, "-c", START_SCRIPT, str(folder)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    tokens = [process.communicate()[0].strip() for process in started]
    assert [process.returncode for process in started] == [0] * 4
    assert len(set(tokens)) == 1  # RS256 is deterministic: one key, one payload, one signature
    assert len([path for path in folder.iterdir() if path.name.startswith("signing-")]) == 1


async def test_a_key_that_is_not_on_this_machine_is_told_by_its_file_and_alarms(store, clock, tmp_path, events):
    key = signing_key()
    await put_set(store, key)
    keys = make_keys(store, clock, folder=tmp_path, events=events.append)
    with pytest.raises(KeyUnavailableError) as raised:
        await keys.sign({}, {})
    assert raised.value.reason.startswith(f"The signing key signing-{key.id}.pem is not on this machine. Copy it")
    assert (raised.value.status, raised.value.retry_after) == (503, 5)
    assert key.id not in raised.value.description
    assert [(event.name, event.alarming) for event in events] == [("signing_key_unavailable", True)]
    put_file(tmp_path, key)
    assert await keys.sign({}, {})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "holds no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----\n", "holds no private key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "is not an RSA key of 2048 bits or more"),
        (pem(private_key(0, 1024)), "is not an RSA key of 2048 bits or more"),
        (pem(private_key(1)), "holds another key"),
    ],
)
async def test_a_file_that_is_not_the_key_is_refused(store, clock, tmp_path, data, reason):
    keys = await signing_with(store, clock, tmp_path, signing_key(), data=data)
    with pytest.raises(KeyUnavailableError, match=reason) as raised:
        await keys.sign({}, {})
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize("name", ["../other/signing-key.pem", "/etc/passwd", "signing-.pem", "auth.db", ""])
async def test_a_name_in_the_key_set_leads_nowhere_else(store, clock, tmp_path, name):
    keys = await signing_with(store, clock, tmp_path, signing_key()._replace(private=f"pem:{name}"), data=None)
    with pytest.raises(KeyUnavailableError, match="not one of this server's signing keys"):
        await keys.sign({}, {})


async def test_without_a_folder_the_setting_is_named(store, clock):
    with pytest.raises(KeyUnavailableError, match="set SIGNING_KEY_ARN or AUTH_DB_PATH"):
        await make_keys(store, clock).sign({}, {})


async def test_a_folder_that_cannot_be_written_is_told_without_its_path(store, clock, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KeyUnavailableError, match=r"signing-.*\.pem cannot be written: File exists\.") as raised:
        await make_keys(store, clock, folder=tmp_path / "file").sign({}, {})
    assert str(tmp_path) not in str(raised.value)


async def test_a_file_that_cannot_be_read_is_told_without_its_path(store, clock, tmp_path):
    key = signing_key()
    (tmp_path / key.private.removeprefix("pem:")).mkdir()
    keys = await signing_with(store, clock, tmp_path, key, data=None)
    with pytest.raises(KeyUnavailableError, match=r"cannot be read: Is a directory\.") as raised:
        await keys.sign({}, {})
    assert str(tmp_path) not in str(raised.value)
