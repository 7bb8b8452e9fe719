"""What is compared: this server's door, and the peers, each as a Lambda function of its own package."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.packages import ROOT, Package
from lambda_asgi.emulator import FunctionConfig, InvokeMode

_PEERS = ROOT / "bench" / "peers"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Variant:
    """One way to serve MCP tools from Lambda.

    Attributes:
        key: its name in the JSON.
        title: its name in the tables.
        package: what it runs.
        handler: the function's handler.
        environment: the function's variables.
        invoke_mode: the function URL's; peers that cannot stream are invoked buffered.
        wrapper: the exec wrapper inside the package; None takes `lambda_asgi/bootstrap`.
        own_port: whether it needs a loopback port for itself, in the variable `PORT`.
    """

    key: str
    title: str
    package: Package
    handler: str
    environment: Mapping[str, str] = field(default_factory=dict)
    invoke_mode: InvokeMode = "RESPONSE_STREAM"
    wrapper: str | None = None
    own_port: bool = False

    def function(self, task_root: Path, python: Path, *, freeze: bool) -> FunctionConfig:
        """The function to emulate: one sandbox, its code writable, since what mounts it read-only costs time too."""
        port = {"PORT": str(free_port())} if self.own_port else {}
        return FunctionConfig(
            handler=self.handler,
            task_root=task_root,
            python=str(python),
            environment={**self.environment, **port},
            timeout=TIMEOUT_SECONDS,
            invoke_mode=self.invoke_mode,
            sandboxes=1,
            freeze=freeze,
            read_only=False,
            throttle=False,
            wrapper=task_root / self.wrapper if self.wrapper else None,
        )


def free_port() -> int:
    """A loopback port that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _peer(name: str) -> Package:
    return Package(name, _PEERS / name, _PEERS / name / "requirements.txt")


OURS = Variant(
    key="mcpx",
    title="mcpx (lambda_asgi)",
    package=Package("mcpx", ROOT / "src"),
    handler="handlers.function_url.app",
    environment={"AUTH_MODE": "noauth", "ALLOW_PUBLIC_NOAUTH": "true"},
)
MANGUM = Variant(
    key="mangum",
    title="SDK + Mangum (awslambdaric)",
    package=_peer("mangum_sdk"),
    handler="handler.handler",
    invoke_mode="BUFFERED",
    wrapper="bootstrap",
)
FASTMCP = Variant(
    key="fastmcp",
    title="FastMCP + uvicorn (web adapter)",
    package=_peer("fastmcp_web_adapter"),
    handler="app.app",
    wrapper="bootstrap",
    own_port=True,
)
JSON_ALONE = {"FASTMCP_JSON_RESPONSE": "true"}
FASTMCP_JSON = replace(
    FASTMCP, key="fastmcp_json", title="  the same, JSON alone (cannot stream)", environment=JSON_ALONE
)
FASTMCP_DIRECT = "fastmcp_direct"
"""FastMCP's web server called directly, answering in JSON alone: its best case."""

VARIANTS = (OURS, MANGUM, FASTMCP, FASTMCP_JSON)


def server_command(python: Path) -> list[str]:
    """FastMCP's web server by itself; it runs in its package, with `PORT` in the environment."""
    return [str(python), "serve.py"]
