"""SnapStart hooks: what to do before the snapshot is taken, and after a sandbox was restored from it.

Call-compatible with the `snapshot_restore_py` package of AWS's managed runtimes; where that package is importable,
its registry is shared, so that a library's hooks run too.
Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from typing import Any, TypeVar

Hook = Callable[..., Any]
HookT = TypeVar("HookT", bound=Hook)
_Entry = tuple[Hook, tuple[Any, ...], dict[str, Any]]

_before: list[_Entry] = []
_after: list[_Entry] = []


def register_before_snapshot(hook: HookT, *args: Any, **kwargs: Any) -> HookT:
    """Call `hook(*args, **kwargs)` before the snapshot, in the reverse order of registration.

    The hook may be a coroutine function. It is returned, so that this works as a decorator.
    """
    _before.append((hook, args, kwargs))
    return hook


def register_after_restore(hook: HookT, *args: Any, **kwargs: Any) -> HookT:
    """Call `hook(*args, **kwargs)` after a restore, in the order of registration.

    The hook may be a coroutine function. It is returned, so that this works as a decorator.
    """
    _after.append((hook, args, kwargs))
    return hook


async def run_before_snapshot() -> None:
    """Run all before-snapshot hooks; whatever one raises is raised here."""
    for hook in reversed(_shared("get_before_snapshot") + _before):
        await _call(hook)


async def run_after_restore() -> None:
    """Give this sandbox randomness of its own, then run all after-restore hooks; whatever one raises is raised here."""
    if "random" in sys.modules:
        sys.modules["random"].seed()
    for hook in _shared("get_after_restore") + _after:
        await _call(hook)


def _shared(getter: str) -> list[_Entry]:
    if importlib.util.find_spec("snapshot_restore_py") is None:
        return []
    return list(getattr(importlib.import_module("snapshot_restore_py"), getter)())


async def _call(entry: _Entry) -> None:
    hook, args, kwargs = entry
    result = hook(*args, **kwargs)
    if inspect.isawaitable(result):
        await result
