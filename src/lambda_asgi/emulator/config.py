"""What is configured of a function, the service's limits, and the environment a sandbox sees."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

MIB = 1024 * 1024
RUNTIME_BOOTSTRAP = "/var/runtime/bootstrap.py"
REGION = "us-east-1"
ACCOUNT = "123456789012"
VERSION = "$LATEST"
_LONGEST = 900
_RESERVED_PREFIXES = ("AWS_LAMBDA_", "LAMBDA_TASK_", "LAMBDA_RUNTIME_")
_RESERVED = frozenset({"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_EXECUTION_ENV"})

InvokeMode = Literal["RESPONSE_STREAM", "BUFFERED"]


@dataclass(frozen=True)
class Limits:
    """The service's quotas: sizes in bytes, times in seconds.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
    """

    request: int = 6 * MIB
    buffered_response: int = 6 * MIB
    streamed_response: int = 200 * MIB
    burst: int = 6 * MIB
    bandwidth: int = 2 * MIB
    prelude: int = 16 * 1024
    init: float = 10
    restore: float = 10
    shutdown: float = 0.5
    settle: float = 0.05
    """How long a request waits for a sandbox that has answered and is about to ask for its next invocation. Between two
    requests of one client the network takes longer than that; on loopback it does not."""


@dataclass(frozen=True)
class FunctionConfig:
    """One function. `timeout` is in seconds, `memory_mb` is what the function is told, not enforced.

    Args:
        handler: the function's handler, `module.attribute`.
        task_root: the directory that is `/var/task` on Lambda.
        python: the interpreter, `/var/lang/bin/python3` on Lambda.
        environment: the function's own variables.
        sandboxes: reserved concurrency: requests beyond it get 429.
        concurrency_per_sandbox: invocations that one sandbox takes at a time; above 1 it is never frozen nor killed for
            a late answer, as on Lambda Managed Instances.
        freeze: stop the sandbox's processes (SIGSTOP) between invocations.
        drop_connections: at every freeze shut down the sandbox's TCP connections, as peers do with idle ones (Linux).
        read_only: mount the task root read-only for the sandbox where the host permits (Linux).
        throttle: hold streamed responses to `limits.bandwidth` after the first `limits.burst` bytes.
        wrapper: the exec wrapper; `lambda_asgi/bootstrap` in the task root by default.

    Raises:
        ValueError: a variable that Lambda reserves, a bound below 1, or a timeout that is not above 0 and at most 900.
    """

    handler: str
    task_root: Path
    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60
    memory_mb: int = 1024
    invoke_mode: InvokeMode = "RESPONSE_STREAM"
    sandboxes: int = 4
    concurrency_per_sandbox: int = 1
    snapstart: bool = False
    freeze: bool = True
    drop_connections: bool = False
    read_only: bool = True
    throttle: bool = True
    name: str = "function"
    wrapper: Path | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Refuse what Lambda would refuse."""
        for name in self.environment:
            if name in _RESERVED or (name.startswith(_RESERVED_PREFIXES) and name != "AWS_LAMBDA_EXEC_WRAPPER"):
                raise ValueError(f"{name} is reserved by Lambda")
        if min(self.sandboxes, self.concurrency_per_sandbox, self.memory_mb) < 1 or not 0 < self.timeout <= _LONGEST:
            raise ValueError(
                f"sandboxes, concurrency, memory and timeout must be positive, the timeout {_LONGEST} at most"
            )

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"

    @property
    def root(self) -> Path:
        """The task root, absolute."""
        return self.task_root.resolve()

    @property
    def exec_wrapper(self) -> Path:
        """The exec wrapper's path."""
        return (self.wrapper or self.root / "lambda_asgi" / "bootstrap").absolute()

    @property
    def command(self) -> list[str]:
        """What the managed runtime executes: the wrapper, then what it wraps."""
        return [str(self.exec_wrapper), self.python, RUNTIME_BOOTSTRAP]


def _initialization_type(config: FunctionConfig) -> str:
    if config.concurrency_per_sandbox > 1:
        return "lambda-managed-instances"
    return "snap-start" if config.snapstart else "on-demand"


def _by_initialization(config: FunctionConfig, api: str) -> dict[str, str]:
    """Return what depends on how a sandbox starts: a snapshot holds neither credentials nor a log stream."""
    if config.snapstart:
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{api}/2021-04-23/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "emulator",
        }
    return {
        "AWS_ACCESS_KEY_ID": "ASIAEMULATOR",
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "AWS_SESSION_TOKEN": "emulator",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"2000/01/01/[{VERSION}]{0:032x}",
    }


def environment(config: FunctionConfig, api: str) -> dict[str, str]:
    """Return a sandbox's whole environment: Lambda's variables and the function's, nothing of the host's.

    LD_LIBRARY_PATH and NODE_PATH are left out: they name directories of Lambda's image. Region and credentials may be
    overridden by the function's variables, so that it can use services on this machine.

    Args:
        config: the function.
        api: host and port of this sandbox's Runtime API.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    """
    variables = {
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "PWD": str(config.root),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(config.root),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **_by_initialization(config, api),
        **config.environment,
        "_HANDLER": config.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_EXEC_WRAPPER": str(config.exec_wrapper),
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_LAMBDA_INITIALIZATION_TYPE": _initialization_type(config),
        "AWS_LAMBDA_FUNCTION_NAME": config.name,
        "AWS_LAMBDA_FUNCTION_VERSION": VERSION,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.memory_mb),
    }
    if config.concurrency_per_sandbox > 1:
        variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(config.concurrency_per_sandbox)
    return variables
