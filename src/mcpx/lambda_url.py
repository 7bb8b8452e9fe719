"""`mcpx lambda`: the function URL door, behind the emulated Lambda service."""

import argparse
import asyncio
import secrets
import signal
import subprocess
import sys
from pathlib import Path

from auth.keys.errors import KeyUnavailableError
from auth.keys.server_key import FileSecret
from handlers.container import listen, origin
from lambda_asgi.emulator import Emulator, FunctionConfig
from mcp_app.app import create_app
from mcp_app.settings import Settings
from mcpx.address import announce, cannot_listen, joined, variables
from mcpx.errors import CommandError
from mcpx.first_start import elsewhere, first_start
from mcpx.sandboxed import surroundings

HANDLER = "handlers.function_url.app"
SOURCE = Path(__file__).parent.parent


def serve(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C.

    Raises:
        mcpx.errors.CommandError: the address cannot be had, or there is no package where one was named.
        mcp_app.settings.SettingsError: the settings cannot be used.
    """
    with surroundings(options, variables(options)) as around:
        settings = Settings.from_environment(around.variables)
        try:
            with listen(settings.host, settings.port) as listener:
                url, port = origin(listener), listener.getsockname()[1]
            function = _function(options, {"PUBLIC_URL": url, **around.variables})
            seen = Settings.from_environment(function.environment)
            create_app(seen)  # refuses now what every sandbox would refuse
            asyncio.run(
                _run(function, settings.host, port, joined(first_start(seen), around.advice or elsewhere(seen)))
            )
        except OSError as error:
            raise cannot_listen(settings, error) from None


async def _run(function: FunctionConfig, host: str, port: int, advice: str) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with Emulator(function, host, port, log=_log) as emulator:
        announce(emulator.url, advice)
        await stopped.wait()


def _function(options: argparse.Namespace, given: dict[str, str]) -> FunctionConfig:
    package = Path(options.package) if options.package else SOURCE
    if not (package / "lambda_asgi" / "bootstrap").is_file():
        raise CommandError(f"there is no built package in {package}. `sam build` makes one.")
    try:
        return FunctionConfig(
            handler=HANDLER,
            task_root=package,
            python=_interpreter(options.python),
            environment=_environment(given),
            timeout=options.timeout,
            sandboxes=options.sandboxes,
            snapstart=options.snapstart,
        )
    except ValueError as error:
        raise CommandError(str(error)) from None


def _interpreter(name: str | None) -> str:
    """The path of the Python that a name stands for here; in a sandbox, `PATH` is Lambda's."""
    if name is None:
        return sys.executable
    command = [name, "-I", "-c", "import sys; print(sys.executable)"]
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603 (who typed it named it)
    except (OSError, subprocess.CalledProcessError):
        raise CommandError(f"{name} does not run here. Name a Python that does, or its path.") from None
    return done.stdout.strip()


def _environment(given: dict[str, str]) -> dict[str, str]:
    """The function's variables: the settings that were given, and what all sandboxes share."""
    settings = Settings.from_environment(given)
    # Sandboxes have another working directory.
    given["AUTH_DB_PATH"] = str(Path(settings.auth_db_path).absolute())
    if settings.server_secret is None and settings.server_secret_arn is None:
        given["SERVER_SECRET"] = _server_secret(settings)
    return {name: value for name, value in given.items() if not name.startswith("AWS_LAMBDA_")}


def _server_secret(settings: Settings) -> str:
    """The key that seals what clients bring back: with users, the one that `mcpx serve` has in its file."""
    if not settings.signs_in:
        return secrets.token_urlsafe(32)
    try:
        return asyncio.run(_read(FileSecret(Path(settings.auth_db_path).parent)))
    except KeyUnavailableError as error:
        raise CommandError(str(error)) from None


async def _read(secret: FileSecret) -> str:
    return (await secret()).current


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
