"""The command line as a person meets it."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.support.command import MCPX, environment, running

COMMANDS = ["serve", "lambda"]


def mcpx(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [MCPX, *arguments], check=False, env=environment(env), capture_output=True, text=True, timeout=30
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_url_answers_and_ends_cleanly(command: str, number: signal.Signals) -> None:
    with running(command, "--auth", "noauth") as server:
        assert httpx2.get(f"{server.url}/healthz").json()["status"] == "ok"
        assert server.stop(number) == 0
        assert "Traceback" not in server.output


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_is_a_clean_end(command: str) -> None:
    with running(command, "--auth", "noauth") as server:
        assert server.stop(signal.SIGINT) == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_impatience_is_a_clean_end_too(command: str) -> None:
    with running(command, "--auth", "noauth") as server:
        for _ in range(3):
            server.process.send_signal(signal.SIGINT)
        assert server.stop(signal.SIGINT) == 0
        assert "Traceback" not in server.output


@pytest.mark.parametrize("command", COMMANDS)
def test_nobody_runs_open_by_accident(command: str, tmp_path: Path) -> None:
    with running(command, env={"AUTH_DB_PATH": str(tmp_path / "auth.db")}) as server:
        reply = httpx2.post(f"{server.url}/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert reply.status_code == 401


@pytest.mark.parametrize("command", COMMANDS)
def test_noauth_is_refused_on_a_public_url(command: str) -> None:
    result = mcpx(command, "--port", "0", "--auth", "noauth", PUBLIC_URL="https://mcp.example.com")
    assert result.returncode == 1
    assert "ALLOW_PUBLIC_NOAUTH" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_taken_port_is_one_clear_line(command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = mcpx(command, "--auth", "noauth", "--port", port)
    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: address already in use. " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_bad_setting_is_named_without_its_value(command: str) -> None:
    result = mcpx(command, "--auth", "noauth", MAX_BODY_BYTES="plenty")
    assert result.returncode == 1
    assert "MAX_BODY_BYTES" in result.stderr
    assert "plenty" not in result.stderr


def test_wrong_words_are_status_2() -> None:
    assert mcpx("dance").returncode == 2
    assert mcpx("serve", "--auth", "maybe").returncode == 2


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_is_none_is_told_by_the_flags_name(port: str) -> None:
    result = mcpx("serve", f"--port={port}")
    assert result.returncode == 2
    assert "argument --port: must be a whole number from 0 to 65535" in result.stderr


@pytest.mark.parametrize("command", ["serve", "lambda"])
def test_iam_is_refused_where_nothing_checks_signatures(command):
    result = mcpx(command, "--auth", "iam", "--port", "0")
    assert (result.returncode, result.stdout) == (1, "")
    assert "here nobody could call the server. Choose oauth, provider or noauth" in result.stderr


def test_the_version_is_the_packages() -> None:
    assert mcpx("--version").stdout.startswith("mcpx 0.")


@pytest.mark.parametrize(("option", "value"), [("--sandboxes", "0"), ("--timeout", "-1"), ("--timeout", "nan")])
def test_lambda_says_what_no_function_can_have(option: str, value: str) -> None:
    result = mcpx("lambda", "--auth", "noauth", "--port", "0", option, value)
    assert result.returncode == 1
    assert result.stderr.startswith("mcpx: sandboxes, concurrency, memory and timeout must be positive")


def test_lambda_says_where_a_package_is_missing(tmp_path: object) -> None:
    result = mcpx("lambda", "--auth", "noauth", "--port", "0", "--package", str(tmp_path))
    assert result.returncode == 1
    assert "sam build" in result.stderr


def test_lambda_says_when_an_interpreter_does_not_run() -> None:
    result = mcpx("lambda", "--auth", "noauth", "--port", "0", "--python", "python0.1")
    assert result.returncode == 1
    assert "python0.1 does not run here" in result.stderr
    assert "Traceback" not in result.stderr


def test_lambda_takes_an_interpreter_by_its_name() -> None:
    beside = {"PATH": f"{MCPX.parent}:{environment()['PATH']}"}
    with running("lambda", "--auth", "noauth", "--python", "python", env=beside) as server:
        assert httpx2.get(f"{server.url}/healthz").json()["status"] == "ok"


def test_lambda_logs_starts_as_lambda_does() -> None:
    with running("lambda", "--auth", "noauth") as server:
        httpx2.get(f"{server.url}/healthz")
        server.wait_for("REPORT RequestId:")  # the sandbox has asked for more, so the next request finds it
        httpx2.get(f"{server.url}/healthz")
        server.stop()
        reports = [line for line in server.output.splitlines() if "REPORT RequestId:" in line]
    assert len(reports) == 2
    assert "Init Duration" in reports[0]
    assert "Init Duration" not in reports[1]


def test_a_reader_that_has_read_enough_is_no_traceback(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    (tmp_path / "auth.db").touch()
    done = subprocess.run(
        [MCPX, "users", "list", "--db", str(tmp_path / "auth.db")],
        check=False,
        env=environment(),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
    )
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 1


def test_a_terminal_that_lacks_a_letter_still_shows_the_name(tmp_path: Path) -> None:
    arguments = [MCPX, "users", "add", "zo\u00eb\u0142", "--db", str(tmp_path / "auth.db")]
    env = environment({"PYTHONIOENCODING": "latin-1"})
    done = subprocess.run(arguments, check=False, env=env, input=b"correct horse battery", capture_output=True)
    assert done.stdout == b"zo\xeb\\u0142 can sign in.\n"


@pytest.mark.parametrize("words", [["users", "add"], ["users", "remove"], ["grants", "revoke"], ["clients", "remove"]])
def test_an_argument_that_is_no_text_is_one_sentence(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "auth.db").touch()
    arguments = [MCPX, *words, b"\xff\xfe", "--db", str(tmp_path / "auth.db")]
    done = subprocess.run(
        arguments, check=False, env=environment(), input=b"correct horse battery", capture_output=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"mcpx: ")
    assert b"Traceback" not in done.stderr


def test_a_disk_that_is_full_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "auth.db").touch()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [MCPX, "users", "list", "--db", str(tmp_path / "auth.db")],
            check=False,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
        )
    assert (done.returncode, done.stderr) == (1, "mcpx: No space left on device\n")
