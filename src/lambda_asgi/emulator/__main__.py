"""`python -m lambda_asgi.emulator HANDLER`: serve a function on this machine until interrupted."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from .config import FunctionConfig
from .service import Emulator


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, not {text!r}")
    return name, value


def parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    command = argparse.ArgumentParser(prog="python -m lambda_asgi.emulator", description=__doc__)
    add = command.add_argument
    add("handler", help="the function's handler, module.attribute")
    add("--task-root", type=Path, default=Path(), help="what is /var/task on Lambda")
    add("--python", default=sys.executable, help="the interpreter of the sandboxes")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0: any free port")
    add("--env", type=_variable, action="append", default=[], metavar="NAME=VALUE", help="a variable of the function")
    add("--timeout", type=float, default=60, help="seconds")
    add("--memory", type=int, default=1024, help="MB, told to the function, not enforced")
    add("--sandboxes", type=int, default=4, help="reserved concurrency; requests beyond it get 429")
    add("--concurrency", type=int, default=1, help="invocations that one sandbox takes at a time")
    add("--invoke-mode", choices=["RESPONSE_STREAM", "BUFFERED"], default="RESPONSE_STREAM")
    add("--snapstart", action="store_true", help="initialise, snapshot, restore")
    add("--no-freeze", dest="freeze", action="store_false", help="let sandboxes run between invocations")
    add("--drop-connections", action="store_true", help="shut down a frozen sandbox's TCP connections (Linux)")
    add("--writable", dest="read_only", action="store_false", help="leave the task root writable")
    add("--no-throttle", dest="throttle", action="store_false", help="full bandwidth")
    add("--name", default="function")
    add("--wrapper", type=Path, help="the exec wrapper; lambda_asgi/bootstrap in the task root by default")
    return command


def config_of(arguments: argparse.Namespace) -> FunctionConfig:
    """Return the function that the arguments describe. Raises ValueError."""
    options = vars(arguments).copy()
    for other in ("host", "port"):
        del options[other]
    options["environment"] = dict(options.pop("env"))
    options["memory_mb"] = options.pop("memory")
    options["concurrency_per_sandbox"] = options.pop("concurrency")
    return FunctionConfig(**options)


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")


async def serve(config: FunctionConfig, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; print the URL when ready."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with Emulator(config, host, port, _log) as emulator:
        sys.stdout.write(f"{emulator.url}\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> None:
    """Run the command."""
    command = parser()
    arguments = command.parse_args()
    try:
        config = config_of(arguments)
    except ValueError as error:
        command.error(str(error))
    asyncio.run(serve(config, arguments.host, arguments.port))


if __name__ == "__main__":
    main()
