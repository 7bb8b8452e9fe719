"""Import of the MCP SDK's server without the parts that a server never runs.

`import mcp.server.lowlevel` also imports the SDK's client, its high-level server, uvicorn, click and an HTTP client,
and builds some 450 pydantic models of which one call needs a dozen. On a cold start that is most of the wait. So the
packages `mcp` and `mcp.server` are first entered in `sys.modules` as shells, whose submodules can be imported one by
one, and models are told to build at first use (pydantic's `defer_build`).

Nothing is taken away: a shell runs its package's real code as soon as anybody asks it for a name, so `import mcp;
mcp.ClientSession` works afterwards too. Whatever goes wrong on the way is undone and the plain import takes over.
"""

import importlib
import importlib.util
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp_app import server

logger = logging.getLogger(__name__)

_SHELLS = ("mcp", "mcp.server")
_FAMILY = ("mcp", "mcp_types")


def import_server(*, lean: bool) -> "type[server.McpServer]":
    """Import the server on top of the SDK, leanly where wanted and possible.

    Where the SDK is already imported, or the lean way fails, it is the plain import.
    """
    if lean and "mcp" not in sys.modules:
        try:
            return _import_lean()
        except Exception:
            logger.warning("the lean import of the MCP SDK failed; importing all of it", exc_info=True)
            _forget()
    return _import_plain()


def _import_plain() -> "type[server.McpServer]":
    module = importlib.import_module("mcp_app.server")
    return module.McpServer  # type: ignore[no-any-return]


def _import_lean() -> "type[server.McpServer]":
    for name in _SHELLS:
        _install_shell(name)
    with _deferred_models(), _absent("uvicorn"):
        return _import_plain()


def _forget() -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] in _FAMILY or name == "mcp_app.server":
            del sys.modules[name]


class _Shell(ModuleType):
    """A package whose own code has not run yet; it runs when a name is asked for that no submodule has bound."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        _fill(self)
        return getattr(self, name)


_filling = threading.RLock()


def _fill(shell: _Shell) -> None:
    with _filling:
        if type(shell) is not _Shell:
            return
        # An ordinary module from here on: while its code runs, a missing name must fail as in any import circle.
        object.__setattr__(shell, "__class__", ModuleType)
        spec = shell.__spec__
        if spec is None or spec.loader is None:
            raise ImportError(f"{shell.__name__} has lost its loader")
        spec.loader.exec_module(shell)


def _install_shell(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(name)
    shell = _Shell(name)
    shell.__spec__, shell.__loader__, shell.__file__ = spec, spec.loader, spec.origin
    shell.__package__, shell.__path__ = name, spec.submodule_search_locations or []
    sys.modules[name] = shell
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, shell)


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """Have a package that is not imported yet seem not to be installed.

    The SSE library imports uvicorn only to learn of its shutdown, which it also learns from the signal's handler.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # the import system's own mark for "not there"
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def _deferred_models() -> Iterator[None]:
    """Have every pydantic model and type adapter made inside build its validator at first use."""
    import pydantic

    base, adapter = pydantic.BaseModel, pydantic.TypeAdapter
    config = base.model_config
    base.model_config = {**config, "defer_build": True}
    setattr(pydantic, "TypeAdapter", _DeferredAdapters(adapter, type(base)))  # noqa: B010 (mypy: not a type)
    try:
        yield
    finally:
        base.model_config = config
        setattr(pydantic, "TypeAdapter", adapter)  # noqa: B010 (as above)


class _DeferredAdapters:
    """Makes `TypeAdapter`s, called and subscripted like their class, that build at first use."""

    def __init__(self, adapter: Any, metaclass: type) -> None:
        self._adapter = adapter
        self._metaclass = metaclass

    def __getitem__(self, _parameter: Any) -> "_DeferredAdapters":
        return self

    def __call__(self, subject: Any) -> Any:
        # A model carries its own configuration and refuses another.
        config = None if isinstance(subject, self._metaclass) else {"defer_build": True}
        return self._adapter(subject, config=config)
