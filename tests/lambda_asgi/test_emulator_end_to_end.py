"""The emulator and the real runtime together: what a client of a deployed function would see."""

import asyncio
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import lambda_asgi
from lambda_asgi.emulator import Emulator, FunctionConfig
from tests.support.gate import gate

from .emulator_client import PATIENT, Lines, call, connect

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def task_root(tmp_path_factory):
    """What would be deployed: the package and an app."""
    root = tmp_path_factory.mktemp("task")
    package = Path(lambda_asgi.__file__).parent
    shutil.copytree(package, root / "lambda_asgi", ignore=shutil.ignore_patterns("__pycache__", "emulator"))
    shutil.copy(Path(__file__).with_name("emulator_app.py"), root / "emulator_app.py")
    return root


@asynccontextmanager
async def deployed(task_root, **options):
    lines = Lines()
    config = FunctionConfig("emulator_app.app", task_root, **{"timeout": 60, "limits": PATIENT, **options})
    async with Emulator(config, log=lines.take) as emulator:
        yield emulator, lines


async def test_each_event_arrives_before_the_next_is_sent(task_root):
    async with deployed(task_root) as (emulator, _), gate() as after_each:
        reply = await call(emulator, f"/five/{after_each.port}", between=after_each.open)
    assert reply.headers["content-type"] == ["text/event-stream"]
    assert reply.pieces == [b"0\n", b"1\n", b"2\n", b"3\n", b"4\n"]
    assert reply.complete


async def test_concurrent_clients_get_their_own_answers(task_root):
    async def client(emulator, number):
        async with connect(emulator) as connection:
            body = f"{number}" * 1000
            for turn in range(4):
                reply = (await connection.call(f"/echo/{number}-{turn}", "POST", body=body.encode())).json()
                assert (reply["argument"], reply["body"]) == (f"{number}-{turn}", body)
            return reply["pid"]

    async with deployed(task_root, sandboxes=12) as (emulator, _):
        pids = await asyncio.gather(*(client(emulator, number) for number in range(12)))
        await emulator.idle()
        assert len(set(pids)) > 2
        assert len(emulator.reports) == 48
        assert {report.outcome for report in emulator.reports} == {"ok"}


async def test_fifty_clients_share_concurrent_sandboxes(task_root):
    async def client(emulator, number):
        reply = (await call(emulator, f"/echo/{number}", "POST", body=f"body {number}".encode())).json()
        assert (reply["argument"], reply["body"]) == (str(number), f"body {number}")
        return reply["pid"]

    async with deployed(task_root, sandboxes=2, concurrency_per_sandbox=25) as (emulator, _):
        pids = await asyncio.gather(*(client(emulator, number) for number in range(50)))
        assert len(set(pids)) == 2


async def test_one_lifespan_serves_many_requests_between_freezes(task_root):
    async with deployed(task_root, sandboxes=1) as (emulator, _), connect(emulator) as client:
        replies = []
        for number in range(6):
            replies.append((await client.call(f"/echo/{number}", "POST")).json())
            await emulator.idle()
        assert [reply["argument"] for reply in replies] == ["0", "1", "2", "3", "4", "5"]
        assert {reply["lifespans"] for reply in replies} == {1}
        assert len({reply["pid"] for reply in replies}) == 1
        assert [report.cold for report in emulator.reports] == [True] + [False] * 5


async def test_snapstart_runs_the_hooks_and_serves(task_root):
    async with deployed(task_root, snapstart=True) as (emulator, lines):
        assert "after restore" not in lines.output()
        assert (await call(emulator, "/echo/x", "POST")).json()["argument"] == "x"
        await lines.until("after restore")
        await emulator.idle()
        assert emulator.reports[0].restore_ms is not None


async def test_a_blocked_loop_is_killed_at_the_deadline_and_replaced(task_root):
    async with deployed(task_root, sandboxes=1, timeout=1.5) as (emulator, _):
        reply = await call(emulator, "/block")
        assert (reply.status, reply.body, reply.complete) == (200, b"begun", False)
        assert (await call(emulator, "/echo/x", "POST")).status == 200
        await emulator.idle()
        assert [report.outcome for report in emulator.reports] == ["Sandbox.Timedout", "ok"]


async def test_errors_before_and_after_the_response_began(task_root):
    async with deployed(task_root, sandboxes=1) as (emulator, _):
        early = await call(emulator, "/early")
        assert (early.status, early.complete) == (500, True)
        late = await call(emulator, "/late")
        assert (late.status, late.body, late.complete) == (200, b"begun", False)
        assert (await call(emulator, "/echo/x", "POST")).status == 200
        await emulator.idle()
        _, late_report, last = emulator.reports
        assert late_report.outcome.startswith(("Runtime.", "Function."))
        assert last.outcome == "ok"
        assert not last.cold


async def test_events_that_are_not_http_get_null(task_root):
    async with deployed(task_root) as (emulator, _):
        result = await emulator.invoke({"source": "aws.events"})
    assert (result.payload, result.error) == (b"null", None)


async def test_the_lifespan_ends_when_the_sandbox_does(task_root):
    async with deployed(task_root) as (emulator, lines):
        await call(emulator, "/echo/x", "POST")
        await emulator.idle()
    assert "lifespan ends" in lines.output()
