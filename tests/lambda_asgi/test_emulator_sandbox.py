"""Sandboxes: their environment, their phases, how they end, and that none outlives the emulator."""

import asyncio
import contextlib
import json
import re
import signal
import sys
from pathlib import Path

import pytest

from lambda_asgi.emulator import FunctionConfig, Limits
from lambda_asgi.emulator.__main__ import config_of, parser
from tests.support.gate import PATIENCE, gate

from .emulator_client import TOYS, call, emulate

pytestmark = pytest.mark.anyio
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def state(pid):
    """A process's state as Linux has it: T is stopped; Z, ended but not yet waited for, counts as none at all."""
    try:
        letter = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return None
    return letter if letter != "Z" else None


async def comes_to(condition, *pids):
    """Wait until the state of each process is as a condition says."""
    async with asyncio.timeout(PATIENCE):
        while not all(condition(state(pid)) for pid in pids):  # noqa: ASYNC110 (nobody announces what another's process does)
            await asyncio.sleep(0.01)
    return True


async def gone(*pids):
    return await comes_to(lambda letter: letter is None, *pids)


async def test_the_environment_is_lambdas_and_nothing_of_the_hosts():
    async with emulate(environment={"MINE": "1"}, memory_mb=512, name="mine") as (emulator, _):
        variables = (await call(emulator, "/environ")).json()
    assert variables.pop("AWS_LAMBDA_RUNTIME_API").startswith("127.0.0.1:")
    variables.pop("LC_CTYPE", None)
    assert variables == {
        "AWS_ACCESS_KEY_ID": "ASIAEMULATOR",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_EXEC_WRAPPER": str(TOYS / "bootstrap"),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_NAME": "mine",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/mine",
        "AWS_LAMBDA_LOG_STREAM_NAME": variables["AWS_LAMBDA_LOG_STREAM_NAME"],
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "AWS_SESSION_TOKEN": "emulator",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(TOYS),
        "LANG": "en_US.UTF-8",
        "MINE": "1",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "PWD": str(TOYS),
        "PYTHONPATH": "/var/runtime",
        "TZ": ":UTC",
        "_HANDLER": "toy.serve",
    }


@pytest.mark.parametrize("name", ["_HANDLER", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT"])
def test_reserved_variables_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} is reserved"):
        FunctionConfig("a.b", TOYS, environment={name: "x"})


@pytest.mark.parametrize("bound", ["sandboxes", "concurrency_per_sandbox", "memory_mb", "timeout"])
def test_bounds_must_be_positive(bound):
    with pytest.raises(ValueError, match="must be positive"):
        FunctionConfig("a.b", TOYS, **{bound: 0})


async def test_the_functions_variables_may_name_another_region_and_account():
    async with emulate(environment={"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "mine"}) as (emulator, _):
        variables = (await call(emulator, "/environ")).json()
    assert (variables["AWS_REGION"], variables["AWS_ACCESS_KEY_ID"]) == ("eu-central-1", "mine")


async def test_lines_and_reports_are_lambdas():
    async with emulate() as (emulator, lines):
        await call(emulator, "/hello")
        await call(emulator, "/hello")
        await emulator.idle()
        cold, warm = emulator.reports
        said = [line for line in lines if not line.startswith("sandbox ")]
    assert (cold.cold, warm.cold, warm.init_ms) == (True, False, None)
    assert cold.init_ms is not None
    assert cold.init_ms > 5
    assert 0 < warm.first_byte_ms <= warm.duration_ms
    assert said[:2] == [f"START RequestId: {cold.request_id} Version: $LATEST", f"END RequestId: {cold.request_id}"]
    number = r"\d+\.\d\d ms"
    pattern = (
        rf"REPORT RequestId: {cold.request_id}\tDuration: {number}\tBilled Duration: \d+ ms\tMemory Size: 1024 MB\t"
        rf"Max Memory Used: \d+ MB\tInit Duration: {number}\t"
    )
    assert re.fullmatch(pattern, said[2])
    assert "Init Duration" not in said[5]


@linux
async def test_peak_memory_is_measured():
    async with emulate() as (emulator, _):
        await call(emulator, "/hello")
        await emulator.idle()
        assert 5 < emulator.reports[0].max_memory_mb < 200


@linux
async def test_a_sandbox_is_frozen_between_invocations():
    async with emulate(sandboxes=1) as (emulator, _):
        pid = (await call(emulator, "/who")).json()["pid"]
        for _ in range(2):
            await emulator.idle()
            assert await comes_to(lambda letter: letter == "T", pid)
            assert (await call(emulator, "/who")).json()["pid"] == pid


async def test_freezing_can_be_turned_off():
    async with emulate(sandboxes=1, freeze=False) as (emulator, lines):
        await call(emulator, "/tick")
        await emulator.idle()
        await lines.until("tick", times=lines.output().count("tick") + 20)


@linux
@pytest.mark.parametrize("drop", [True, False])
async def test_idle_connections_can_be_dropped_while_frozen(drop):
    open_, ended = [], asyncio.Event()

    async def hold(reader, writer):
        open_.append(writer)
        await reader.read()
        ended.set()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with emulate(sandboxes=1, drop_connections=drop) as (emulator, _):
            assert (await call(emulator, f"/upstream?{port}")).json() == {"alive": None}
            await emulator.idle()
            if drop:
                await asyncio.wait_for(ended.wait(), PATIENCE)
            assert (await call(emulator, f"/upstream?{port}")).json() == {"alive": not drop}
    finally:
        for writer in open_:
            writer.close()
        server.close()


@linux
async def test_the_task_root_is_read_only_where_the_host_permits():
    async with emulate() as (emulator, lines):
        reply = (await call(emulator, "/write")).json()
        warned = any("task root stays writable" in line for line in lines)
    (TOYS / "written").unlink(missing_ok=True)
    assert reply["outcome"] == ("written" if warned else "EROFS")


async def test_a_host_without_mount_namespaces_is_told_that_the_task_root_is_writable(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    async with emulate() as (_, lines):
        assert any("task root stays writable" in line for line in lines)
    async with emulate(read_only=False) as (_, lines):
        assert lines == []


async def test_background_work_occupies_the_sandbox_but_not_the_client():
    async with emulate(sandboxes=1, limits=Limits()) as (emulator, lines), gate() as at_the_end:
        assert (await call(emulator, f"/background?{at_the_end.port}")).complete
        await at_the_end.reached()
        assert (await call(emulator, "/hello")).status == 429
        assert emulator.reports == []
        await at_the_end.open()
        await emulator.idle()
        await lines.until("background done")
        assert [report.outcome for report in emulator.reports] == ["ok"]
        assert (await call(emulator, "/hello")).status == 200


@pytest.mark.parametrize(
    ("page", "message"),
    [("exit", "exit status 3"), ("exit-well", "without providing a reason"), ("kill", "signal: Killed")],
)
async def test_a_runtime_that_exits_is_a_502_and_replaced(page, message):
    async with emulate(sandboxes=1) as (emulator, _):
        result = await emulator.invoke({"rawPath": f"/{page}"})
        assert result.error.type == "Runtime.ExitError"
        assert message in json.loads(result.payload)["errorMessage"]
        assert (await call(emulator, f"/{page}")).status == 502
        assert (await call(emulator, "/hello")).status == 200
        await emulator.idle()
        assert [report.outcome for report in emulator.reports] == ["Runtime.ExitError", "Runtime.ExitError", "ok"]


async def test_a_runtime_that_exits_in_mid_stream_cuts_the_response():
    async with emulate() as (emulator, _):
        reply = await call(emulator, "/exit-late")
    assert (reply.status, reply.body, reply.complete) == (200, b"some", False)


@pytest.mark.parametrize(
    ("page", "status", "body"), [("hang", 502, b"Internal Server Error"), ("hang-late", 200, b"some")]
)
async def test_at_the_deadline_the_sandbox_is_killed_and_the_next_request_served(page, status, body):
    async with emulate(sandboxes=1, timeout=1) as (emulator, lines):
        reply = await call(emulator, f"/{page}")
        assert (reply.status, reply.body, reply.complete) == (status, body, status == 502)
        assert await lines.until("Task timed out after 1.00 seconds")
        assert (await call(emulator, "/hello")).status == 200
        await emulator.idle()
        assert [report.outcome for report in emulator.reports] == ["Sandbox.Timedout", "ok"]
        assert emulator.reports[0].duration_ms > 990
        assert emulator.reports[1].cold


async def test_an_init_error_is_tried_twice_and_is_a_502():
    async with emulate("init_error") as (emulator, lines):
        assert (await call(emulator, "/hello")).status == 502
        starts = [line for line in lines if line.startswith("INIT_REPORT")]
        assert [line.partition("Phase: ")[2] for line in starts] == [
            "init\tStatus: error\tError Type: Runtime.NoSuchHandler",
            "invoke\tStatus: error\tError Type: Runtime.NoSuchHandler",
        ]
        await lines.until("POST error 202", times=2)
        assert emulator.reports[0].outcome == "Runtime.NoSuchHandler"


async def test_the_second_attempt_may_succeed(tmp_path):
    async with emulate("flaky_init", environment={"MARKER": str(tmp_path / "marker")}) as (emulator, _):
        assert (await call(emulator, "/hello")).status == 200


async def test_a_slow_init_is_killed():
    async with emulate("slow_init", limits=Limits(init=0.3), timeout=0.3) as (emulator, lines):
        assert (await call(emulator, "/hello")).status == 502
        assert sum("Status: timeout" in line for line in lines) == 2


async def test_a_missing_wrapper_is_a_502_with_a_reason():
    async with emulate(wrapper=TOYS / "missing") as (emulator, _):
        result = await emulator.invoke({})
        assert result.error.type == "Runtime.InvalidEntrypoint"
        assert "missing or not executable" in json.loads(result.payload)["errorMessage"]


async def test_snapstart_restores_before_the_first_invocation():
    async with emulate("snapshot", snapstart=True) as (emulator, lines):
        assert not any("restored" in line for line in lines)
        variables = (await call(emulator, "/environ")).json()
        await call(emulator, "/hello")
        await emulator.idle()
        first, second = emulator.reports
        await lines.until("restored 200")
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start"
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in variables
    assert "AWS_ACCESS_KEY_ID" not in variables
    assert first.restore_ms is not None
    assert (first.init_ms, second.restore_ms) == (None, None)
    assert any(line.startswith("RESTORE_REPORT Restore Duration: ") for line in lines)


async def test_a_restore_error_is_a_502():
    async with emulate("restore_error", snapstart=True) as (emulator, lines):
        assert (await call(emulator, "/hello")).status == 502
        assert await lines.until("Phase: restore\tStatus: error\tError Type: Runtime.AfterRestoreError")


async def test_a_waiting_extension_gets_sigterm_at_the_end():
    async with emulate("extension") as (emulator, lines):
        assert (await call(emulator, "/hello")).status == 200
        await lines.until("POST register 200")
    assert "SIGTERM" in lines.output()


async def test_without_an_extension_there_is_no_sigterm():
    async with emulate("deaf") as (emulator, lines):
        assert (await call(emulator, "/hello")).status == 200
    assert "SIGTERM" not in lines.output()


async def test_an_extension_that_does_not_wait_hangs_the_first_invocation():
    async with emulate("extension_hangs", limits=Limits(init=0.4), timeout=0.4) as (emulator, lines):
        assert (await call(emulator, "/hello")).status == 502
        assert sum("Status: timeout" in line for line in lines) == 2


async def test_an_extension_is_told_of_invocations_and_must_ask_for_more():
    async with emulate("extension_invoke", timeout=1) as (emulator, lines):
        assert (await call(emulator, "/hello")).status == 200
        event = json.loads((await lines.until("event 200")).partition("event 200 ")[2])
        assert event["eventType"] == "INVOKE"
        assert event["requestId"] in await lines.until("START")
        await lines.until("Task timed out")


async def test_an_internal_extension_cannot_ask_for_shutdown():
    async with emulate("extension_shutdown") as (emulator, lines):
        assert (await call(emulator, "/hello")).status == 200
        await lines.until("POST register 403")


async def test_several_invocations_share_a_sandbox():
    async with (
        emulate("concurrent", sandboxes=1, concurrency_per_sandbox=4) as (emulator, _),
        contextlib.AsyncExitStack() as stack,
    ):
        gates = [await stack.enter_async_context(gate()) for _ in range(4)]
        calls = [asyncio.create_task(call(emulator, f"/held?{each.port}")) for each in gates]
        for each in gates:
            await each.reached()
        for each in gates:
            await each.open()
        replies = [(await each).json() for each in calls]
        variables = (await call(emulator, "/environ")).json()
    assert [reply["query"] for reply in replies] == [str(each.port) for each in gates]
    assert len({reply["pid"] for reply in replies}) == 1
    assert variables["AWS_LAMBDA_MAX_CONCURRENCY"] == "4"
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "lambda-managed-instances"


async def test_a_late_answer_in_a_shared_sandbox_is_gone_and_the_sandbox_lives():
    async with (
        emulate("concurrent", sandboxes=1, concurrency_per_sandbox=2, timeout=1) as (emulator, lines),
        gate() as after_the_deadline,
    ):
        late = asyncio.create_task(call(emulator, f"/held?{after_the_deadline.port}"))
        pid = (await call(emulator, "/who")).json()["pid"]
        assert (await late).status == 502
        await after_the_deadline.open()
        await lines.until("status 410")
        assert (await call(emulator, "/who")).json()["pid"] == pid


async def test_leaving_during_init_starts_nothing_more():
    async with emulate("slow_init") as (emulator, lines):
        waiting = asyncio.create_task(emulator.invoke({}))
        await lines.until("pid ")
    pids = [int(line.split()[1]) for line in lines.output() if line.startswith("pid ")]
    assert (await waiting).error.type == "Sandbox.Failure"
    assert len(pids) == 1
    assert await gone(*pids)


async def test_an_abandoned_direct_invocation_runs_on():
    async with emulate(sandboxes=1) as (emulator, lines), gate() as answers:
        event = {"rawPath": "/held", "rawQueryString": str(answers.port)}
        abandoned = asyncio.create_task(emulator.invoke(event))
        await answers.reached()
        abandoned.cancel()
        await asyncio.wait({abandoned})
        await answers.open()
        await emulator.idle()
        assert await lines.until("status 202")
        assert emulator.reports[0].outcome == "ok"


async def test_nothing_is_left_running():
    async with emulate() as (emulator, _):
        pids = (await call(emulator, "/orphan")).json()["pids"]
        await emulator.idle()
        assert all(map(state, pids))
    assert await gone(*pids)


def test_the_command_has_an_option_for_every_setting():
    text = "a.b --task-root x --python p --env A=1 --env B=2=3 --timeout 3 --memory 512 --sandboxes 2 --concurrency 5"
    text += " --invoke-mode BUFFERED --snapstart --no-freeze --drop-connections --writable --no-throttle"
    text += " --name n --wrapper w"
    config = config_of(parser().parse_args(text.split()))
    assert config == FunctionConfig(
        handler="a.b",
        task_root=Path("x"),
        python="p",
        environment={"A": "1", "B": "2=3"},
        timeout=3,
        memory_mb=512,
        invoke_mode="BUFFERED",
        sandboxes=2,
        concurrency_per_sandbox=5,
        snapstart=True,
        freeze=False,
        drop_connections=True,
        read_only=False,
        throttle=False,
        name="n",
        wrapper=Path("w"),
    )


@pytest.mark.parametrize("wrong", ["--env=novalue", "--env=_HANDLER=x", "--sandboxes=0"])
async def test_the_command_refuses_what_lambda_would(wrong):
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lambda_asgi.emulator", "a.b", wrong, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await command.communicate()
    assert command.returncode == 2
    assert b"error: " in errors


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_the_command_serves_and_leaves_nothing_behind_however_it_ends(number):
    arguments = ["toy.serve", "--task-root", str(TOYS), "--wrapper", str(TOYS / "bootstrap"), "--env", "A=b"]
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lambda_asgi.emulator", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        url = (await asyncio.wait_for(command.stdout.readline(), PATIENCE)).decode().strip()
        served = type("Served", (), {"url": url})
        assert (await call(served, "/environ")).json()["A"] == "b"
        pids = (await call(served, "/orphan")).json()["pids"]
        command.send_signal(number)
        assert await gone(*pids)
        _, errors = await command.communicate()
        assert command.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 0)
        assert b"Traceback" not in errors
    finally:
        if command.returncode is None:
            command.kill()
            await command.communicate()
