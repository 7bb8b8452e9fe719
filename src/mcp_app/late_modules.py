"""Ways to put off the work of importing somebody else's modules, without taking anything from who asks for it later.

They bend the import system for the length of a `with` block; `lean_import` says which modules they are used on.
"""

import importlib
import importlib.util
import sys
import threading
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

_lock = threading.RLock()


class Shell(ModuleType):
    """A package whose own code has not run yet; it runs when a name is asked for that no submodule has bound."""

    def __getattr__(self, name: str) -> Any:
        """Run the package's code, then look again."""
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        _fill(self)
        return getattr(self, name)


def install_shell(name: str) -> None:
    """Enter a package in `sys.modules` without running its code, so that its submodules can be imported one by one.

    Raises:
        ModuleNotFoundError: there is no such package.
    """
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(name)
    shell = Shell(name)
    shell.__spec__, shell.__loader__, shell.__file__ = spec, spec.loader, spec.origin
    shell.__package__, shell.__path__ = name, spec.submodule_search_locations or []
    sys.modules[name] = shell
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, shell)


def _fill(shell: Shell) -> None:
    with _lock:
        if type(shell) is not Shell:
            return
        # An ordinary module from here on: while its code runs, a missing name must fail as in any import circle.
        object.__setattr__(shell, "__class__", ModuleType)
        spec = shell.__spec__
        if spec is None or spec.loader is None:
            raise ImportError(f"{shell.__name__} has lost its loader")
        spec.loader.exec_module(shell)


@contextmanager
def absent(name: str) -> Iterator[None]:
    """Have a package that is not imported yet seem not to be installed."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # the import system's own mark for "not there"
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def deferred_models() -> Iterator[None]:
    """Have every pydantic model and type adapter made inside build its validator at first use."""
    import pydantic

    with _lock:
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


@contextmanager
def late_tables(*modules: str) -> Iterator[None]:
    """Have modules of models that are imported inside load when a table that lists their models is first looked up.

    For a module that does nothing with those models but list them in `MappingProxyType`s.
    """
    wanted = [name for name in modules if name not in sys.modules]
    proxy = types.MappingProxyType
    sys.modules.update({name: _LateModule(name) for name in wanted})
    setattr(types, "MappingProxyType", _LateTable)  # noqa: B010 (mypy: not a type)
    try:
        yield
    finally:
        setattr(types, "MappingProxyType", proxy)  # noqa: B010 (as above)
        for name in wanted:
            del sys.modules[name]


class _LateModule(ModuleType):
    """Stands in for a module while its names are listed: each is a `_LateName`."""

    def __getattr__(self, name: str) -> "_LateName":
        if name.startswith("__"):
            raise AttributeError(name)
        return _LateName(self.__name__, name)


@dataclass(frozen=True)
class _LateName:
    module: str
    name: str

    def load(self) -> Any:
        with deferred_models():
            return getattr(importlib.import_module(self.module), self.name)


class _LateTable(Mapping[Any, Any]):
    """A read-only mapping whose values are the real ones whenever they are looked at."""

    def __init__(self, rows: dict[Any, Any]) -> None:
        self._rows = rows

    def __getitem__(self, key: Any) -> Any:
        value = self._rows[key]
        if isinstance(value, _LateName):
            value = self._rows[key] = value.load()
        return value

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
