"""Several processes on one store."""

import subprocess
import sys
import time

import anyio.to_thread
import pytest

from tests.support.command import environment
from tests.support.gate import PATIENCE
from tests.support.tools import ROOT

TIMES = 20


def start(backend):
    command = [sys.executable, "-m", "tests.store.racing", backend.kind, backend.place, str(TIMES)]
    env = environment(backend.environment)
    return subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def finish(processes):
    """How often each lost, all of them having begun at once."""
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        return [int(process.communicate(timeout=PATIENCE * 4)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.mark.anyio
async def test_processes_that_start_together_never_overwrite_each_other(backend):
    processes = [start(backend) for _ in range(4)]
    lost = await anyio.to_thread.run_sync(finish, processes)
    assert {process.returncode for process in processes} == {0}
    assert sum(lost) > 0, "they never met"
    store = backend.open(time.time)
    assert int((await store.get("number", consistent=True)).record) == TIMES * len(processes)
    await store.aclose()
