"""The exec wrapper, in each of the ways in which Lambda or an image starts it."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lambda_asgi
from tests.support.runtime_api import runtime_api
from tests.support.sandbox import BOOTSTRAP, SOURCE, sandbox

from .conftest import APPS
from .events import function_url

HANDLER = f"{APPS}.routes"


def python_folder(tmp_path: Path) -> str:
    """A PATH on which `python3` is the interpreter that runs the tests."""
    (tmp_path / "python3").symlink_to(sys.executable)
    return f"{tmp_path}:/usr/bin:/bin"


def test_it_is_executable():
    assert os.access(BOOTSTRAP, os.X_OK)


@pytest.mark.anyio
async def test_as_an_exec_wrapper_it_uses_the_python_it_is_given():
    async with runtime_api() as api, sandbox(HANDLER, api.address, sys.executable, "/var/runtime/bootstrap.py"):
        assert (await api.call(function_url("/small"))).payload == b"ok"


@pytest.mark.anyio
async def test_without_arguments_it_uses_python3(tmp_path):
    env = {**os.environ, "PATH": python_folder(tmp_path), "LAMBDA_TASK_ROOT": str(SOURCE), "_HANDLER": HANDLER}
    async with runtime_api() as api:
        env["AWS_LAMBDA_RUNTIME_API"] = api.address
        process = await asyncio.create_subprocess_exec(str(BOOTSTRAP), env=env, cwd=Path(__file__).parents[2])
        try:
            assert (await api.call(function_url("/small"))).payload == b"ok"
        finally:
            process.terminate()
            await process.wait()


@pytest.mark.anyio
async def test_as_an_entry_point_its_argument_is_the_handler(tmp_path):
    env = {"PATH": python_folder(tmp_path), "_HANDLER": ""}
    async with runtime_api() as api, sandbox("", api.address, HANDLER, env=env):
        assert (await api.call(function_url("/small"))).payload == b"ok"


def test_the_path_is_searched_in_lambdas_order(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("")
    show = tmp_path / "show"
    show.write_text('#!/bin/sh\necho "$PYTHONPATH" "$@"\n')
    show.chmod(0o755)
    env = {
        "LAMBDA_TASK_ROOT": "/task",
        "LAMBDA_RUNTIME_DIR": "/runtime",
        "PYTHONPATH": "/found",
        "PATH": "/usr/bin:/bin",
    }
    shown = subprocess.run([BOOTSTRAP, show, "x"], env=env, capture_output=True, text=True, check=True).stdout
    assert shown == "/task:/opt/python:/runtime:/found -u -m lambda_asgi.runtime\n"
    del env["PYTHONPATH"]
    shown = subprocess.run([BOOTSTRAP, show, "x"], env=env, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("/task:/opt/python:/runtime -u")


def test_outside_of_lambda_it_says_so():
    run = subprocess.run(
        [BOOTSTRAP, sys.executable],
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "AWS_LAMBDA_RUNTIME_API is not set" in run.stderr


def test_without_the_wrapper_the_app_says_what_is_missing():
    async def app(scope, receive, send):
        raise AssertionError

    with pytest.raises(
        lambda_asgi.LambdaAsgiError, match="set AWS_LAMBDA_EXEC_WRAPPER to /var/task/lambda_asgi/bootstrap"
    ):
        lambda_asgi.handler(app)({"version": "2.0"}, object())


def test_only_the_standard_library_is_imported():
    code = "import sys, lambda_asgi.runtime; print(*{m.partition('.')[0] for m in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    assert {name for name in run.stdout.split() if name not in sys.stdlib_module_names} <= {"lambda_asgi", "__main__"}


def test_nothing_heavy_is_imported():
    code = "import sys, lambda_asgi.runtime; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    heavy = re.compile(r"^(email|http|urllib|xml|unittest|random|pathlib|tempfile|decimal|argparse)\b")
    assert [name for name in run.stdout.split() if heavy.match(name)] == []
