import pytest

from tests.support.runtime_api import runtime_api
from tests.support.sandbox import sandbox

from .events import function_url

pytestmark = pytest.mark.anyio
SNAP_START = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}


async def test_hooks_run_around_the_snapshot():
    async with runtime_api() as api, sandbox("tests.lambda_asgi.snapshots.routes", api.address, env=SNAP_START) as box:
        await api.seen("/restore/next")
        await box.says(b"before: first\n")
        assert bytes(box.output).decode().splitlines() == ["before: second!", "before: first"]
        assert api.requests("/invocation/next") == []
        api.restored.set()
        assert (await api.call(function_url("/small"))).payload == b"ok"
        await box.says(b"after: fourth\n")
        assert bytes(box.output).decode().splitlines()[2:] == ["after: third", "after: fourth"]


async def test_without_snap_start_no_hook_runs():
    async with runtime_api() as api, sandbox("tests.lambda_asgi.snapshots.routes", api.address) as box:
        assert (await api.call(function_url("/small"))).payload == b"ok"
        assert api.requests("/restore/next") == []
        assert box.output == b""


async def test_a_restored_sandbox_has_randomness_of_its_own():
    async with runtime_api() as api, sandbox("tests.lambda_asgi.snapshots.rolls", api.address, env=SNAP_START):
        api.restored.set()
        assert (await api.call(function_url("/"))).payload == b"other"


@pytest.mark.parametrize(
    ("fail", "path", "error_type", "code"),
    [
        ("before", "/init/error", "Runtime.BeforeSnapshotError", 64),
        ("after", "/restore/error", "Runtime.AfterRestoreError", 65),
    ],
)
async def test_a_failing_hook_is_reported(fail, path, error_type, code):
    env = {**SNAP_START, "FAIL": fail}
    async with runtime_api() as api, sandbox("tests.lambda_asgi.snapshots.routes", api.address, env=env) as box:
        api.restored.set()
        report = await api.seen(path)
        assert report.headers["lambda-runtime-function-error-type"] == error_type
        assert report.document["errorType"] == "RuntimeError"
        assert await box.exit_code() == code


async def test_hooks_registered_with_awss_package_run_too(tmp_path):
    (tmp_path / "snapshot_restore_py.py").write_text(
        "import functools\n"
        "say = functools.partial(print, flush=True)\n"
        "def get_before_snapshot(): return [(say, ('theirs: before',), {})]\n"
        "def get_after_restore(): return [(say, ('theirs: after',), {'end': '!\\n'})]\n"
    )
    env = {**SNAP_START, "LAMBDA_RUNTIME_DIR": str(tmp_path)}
    async with runtime_api() as api, sandbox("tests.lambda_asgi.snapshots.routes", api.address, env=env) as box:
        api.restored.set()
        assert (await api.call(function_url("/small"))).payload == b"ok"
        await box.says(b"after: fourth\n")
        lines = bytes(box.output).decode().splitlines()
        assert lines[:3] == ["before: second!", "before: first", "theirs: before"]
        assert lines[3:] == ["theirs: after!", "after: third", "after: fourth"]
