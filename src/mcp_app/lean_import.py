"""Import of the MCP SDK's server without the parts that a server never runs.

`import mcp.server.lowlevel` also imports the SDK's client, its high-level server, uvicorn, click and an HTTP client,
and builds some 450 pydantic models of which one call needs a dozen. On a cold start that is most of the wait. So the
packages `mcp` and `mcp.server` start as shells, whose submodules are imported one by one; models build their
validators at first use; and the schema of a protocol era is loaded when a client first speaks it.

Nothing is taken away: a shell runs its package's real code as soon as anybody asks it for a name, so `import mcp;
mcp.ClientSession` works afterwards too. Whatever goes wrong on the way is undone and the plain import takes over.
"""

import importlib
import logging
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from mcp_app.late_modules import absent, deferred_models, install_shell, late_tables

if TYPE_CHECKING:
    from mcp_app import server

logger = logging.getLogger(__name__)

_FAMILY = ("mcp", "mcp_types")
_SERVER = "mcp_app.server"
_TRANSPORT = "mcp_app.transport."


def import_server(*, lean: bool) -> "type[server.McpServer]":
    """Import the server on top of the SDK, leanly where wanted and possible.

    Where the SDK is already imported, or the lean way fails, it is the plain import.
    """
    if lean and not any(name in sys.modules for name in _FAMILY):
        try:
            _import_sdk()
        except Exception:
            logger.warning("the lean import of the MCP SDK failed; importing all of it", exc_info=True)
            _forget()
    module = importlib.import_module(_SERVER)
    return module.McpServer  # type: ignore[no-any-return]


def _import_sdk() -> None:
    # The SSE library wants uvicorn only to learn of its shutdown, which it also learns from the signal's handler.
    with deferred_models(), absent("uvicorn"):
        importlib.import_module("mcp_types")
        with late_tables("mcp_types._v2025_11_25", "mcp_types._v2026_07_28"):
            importlib.import_module("mcp_types.methods")
        install_shell("mcp")
        install_shell("mcp.server")
        importlib.import_module(_SERVER)


def _forget() -> None:
    """Undo what was imported of the SDK and on top of it, so that nothing is left of two different imports."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _FAMILY or name == _SERVER or _on_top(name, module):
            del sys.modules[name]


def _on_top(name: str, module: ModuleType) -> bool:
    origins = (getattr(value, "__module__", None) for value in vars(module).values())
    return name.startswith(_TRANSPORT) and any(str(origin).partition(".")[0] in _FAMILY for origin in origins)
