"""The facts that figures hold under: the machine and the versions, nothing that tells where or by whom it was run."""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.packages import versions

_DISTRIBUTIONS = ("mcp", "fastmcp", "mangum", "awslambdaric", "starlette", "uvicorn", "pydantic")


def facts(packages: Mapping[str, Path], options: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of this run: processor, system, Python, each package's versions, and the options given."""
    found = {key: versions(task_root, _DISTRIBUTIONS) for key, task_root in packages.items()}
    return {
        "machine": f"{_processor()}, {os.cpu_count()} CPUs, {platform.machine()}, {platform.system()}",
        "python": "{} {}.{}.{}".format(platform.python_implementation(), *sys.version_info[:3]),
        **{f"versions ({key})": value for key, value in found.items()},
        "options": dict(options),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )
