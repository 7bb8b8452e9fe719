"""The key that seals what the server hands out."""

import stat
import subprocess
import sys

import pytest

from auth.keys.errors import KeyUnavailableError
from auth.keys.server_key import FILE, FileSecret, SealingSecrets, ServerKey

pytestmark = pytest.mark.anyio

OLD, NEW = "old secret " * 3, "new secret " * 3


class Source:
    """Secrets as an operator rotates them; what is newer than `known` is seen by a refresh only."""

    def __init__(self, known: SealingSecrets, newer: SealingSecrets | None = None) -> None:
        self.known, self.newer = known, newer

    async def __call__(self, *, refresh: bool = False) -> SealingSecrets:
        if refresh and self.newer:
            self.known = self.newer
        return self.known


async def test_each_purpose_has_a_key_of_its_own():
    key = ServerKey(Source(SealingSecrets(NEW)))
    one, other = await key.current("refresh token"), await key.current("form")
    assert one != other
    assert len(one) == len(other) == 32
    assert one == await ServerKey(Source(SealingSecrets(NEW))).current("refresh token")
    assert NEW.encode() not in one


async def test_after_a_rotation_the_new_secret_seals_and_both_open():
    before = await ServerKey(Source(SealingSecrets(OLD))).current("form")
    rotated = ServerKey(Source(SealingSecrets(NEW, OLD)))
    assert await rotated.accepted("form") == (await rotated.current("form"), before)
    assert await rotated.current("form") != before


async def test_a_machine_that_has_not_seen_the_rotation_looks_for_a_newer_secret_when_asked_to():
    late = ServerKey(Source(SealingSecrets(OLD), SealingSecrets(NEW, OLD)))
    sealed = await ServerKey(Source(SealingSecrets(NEW, OLD))).current("form")
    assert sealed not in await late.accepted("form")
    assert sealed in await late.accepted("form", refresh=True)


@pytest.mark.parametrize("secret", ["", "s" * 31])
async def test_a_short_secret_is_refused(secret):
    with pytest.raises(KeyUnavailableError, match="must have 32 characters or more"):
        await ServerKey(Source(SealingSecrets(secret))).current("form")


async def test_a_short_secret_of_before_opens_nothing():
    assert len(await ServerKey(Source(SealingSecrets(NEW, "s" * 31))).accepted("form")) == 1


async def test_a_secret_is_made_in_the_folder_once(tmp_path):
    folder = tmp_path / "data"
    key = await ServerKey(FileSecret(folder)).current("form")
    assert key == await ServerKey(FileSecret(folder)).current("form")
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert key.hex() not in (folder / FILE).read_text()


async def test_two_folders_have_two_secrets(tmp_path):
    keys = {await ServerKey(FileSecret(tmp_path / name)).current("form") for name in ("one", "two")}
    assert len(keys) == 2


START_SCRIPT = """
import anyio, sys, pathlib
from auth.keys.server_key import FileSecret, ServerKey

print(anyio.run(ServerKey(FileSecret(pathlib.Path(sys.argv[1]))).current, "form").hex())
"""


def test_processes_that_start_together_share_one_secret(tmp_path):
    command = [sys.executable, "-c", START_SCRIPT, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    keys = {process.communicate()[0].strip() for process in started}
    assert [process.returncode for process in started] == [0] * 6
    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("content", ["", "too short"])
async def test_a_file_without_a_secret_is_not_used(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    with pytest.raises(KeyUnavailableError, match="32 characters"):
        await ServerKey(FileSecret(tmp_path)).current("form")
