"""The `mcpx` command: its arguments, and what each subcommand runs."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, get_args

from mcp_app.settings import AuthMode, SettingsError
from mcpx import clients, doctor, grants, keys, token, users
from mcpx.errors import CommandError
from mcpx.sandboxed import add_sandbox

_LAST_PORT: Final = 65535
_NOUNS = (users, clients, grants, keys, token, doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit status: 0, 1 when it could not, 2 when the words are off."""
    options = parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal need not know every letter of a name
    try:
        options.run(options)
        sys.stdout.flush()
    except (CommandError, SettingsError) as error:
        print(f"mcpx: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # whose reader has read enough
            print(f"mcpx: {error.strerror or error}", file=sys.stderr)
        # Python would complain about what is left to write when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("\nmcpx: stopped; nothing more was done.", file=sys.stderr)
        return 1
    # One more Ctrl-C while the process goes must not make a failure of a clean end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    root = argparse.ArgumentParser(prog="mcpx", description="An MCP server that streams from AWS Lambda.")
    root.add_argument("--version", action="version", version=f"mcpx {version('mcpx')}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_lambda(commands)
    for noun in _NOUNS:
        noun.add_to(commands)
    return root


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("serve", help="serve on this machine, as the container does")
    _add_address(command)
    add_sandbox(command)
    command.set_defaults(run=_serve)


def _add_lambda(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("lambda", help="serve through an emulated Lambda function URL")
    _add_address(command)
    add_sandbox(command)
    command.add_argument("--sandboxes", type=int, default=4, metavar="N", help="at most N at once (default 4)")
    command.add_argument("--timeout", type=float, default=60, metavar="SECONDS", help="the function's time-out (60)")
    command.add_argument("--snapstart", action="store_true", help="start sandboxes from a snapshot")
    command.add_argument("--package", metavar="DIR", help="run a built package (.aws-sam/build/McpFunction)")
    command.add_argument("--python", metavar="EXE", help="the interpreter to run it with (default: this one)")
    command.set_defaults(run=_lambda)


def _add_address(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", help="address to listen on (default: MCP_SERVER_HOST, 127.0.0.1)")
    command.add_argument("--port", type=_port, help="port to listen on, 0 picks one (default: MCP_SERVER_PORT, 8000)")
    modes = get_args(AuthMode)  # those that only work elsewhere are refused with the reason
    command.add_argument(
        "--auth", choices=modes, metavar="MODE", help="who may call: oauth, provider or noauth (default: AUTH_MODE)"
    )


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else _LAST_PORT + 1
    if port > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {_LAST_PORT}")
    return port


def _serve(options: argparse.Namespace) -> None:
    from mcpx.serve import serve

    serve(options)


def _lambda(options: argparse.Namespace) -> None:
    from mcpx.lambda_url import serve

    serve(options)
