"""Variants as Lambda packages: dependencies, sources and bytecode in one directory, by the real build's own steps."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from deploy import build_package

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench" / "python{}.{}".format(*sys.version_info[:2])
"""What is made here is made for one version of Python."""

_STAMP = ".bench-stamp"


@dataclass(frozen=True)
class Package:
    """One package to make.

    Attributes:
        name: of its directory in the cache.
        sources: the directory that goes on top of the dependencies.
        requirements: a pinned requirements file; None takes the project's lock.
    """

    name: str
    sources: Path
    requirements: Path | None = None


def interpreter() -> Path:
    """The running Python in an empty virtual environment: no .pth file adds to a process's start."""
    home = CACHE / "interpreter"
    python = home / "bin" / "python"
    if not python.exists():
        _run([sys.executable, "-I", "-m", "venv", "--without-pip", str(home)])
    return python


def stage(package: Package) -> Path:
    """Make a package, or refresh one made before; return its directory.

    Dependencies are installed again only when they differ; sources are copied and compiled each time.

    Raises:
        subprocess.CalledProcessError: uv could not install the dependencies.
    """
    task_root = CACHE / package.name
    requirements = _requirements(package)
    stamp = _digest(requirements)
    if not _is_current(task_root, stamp):
        shutil.rmtree(task_root, ignore_errors=True)
        _install(requirements, task_root)
        (task_root / _STAMP).write_text(stamp)
    _copy_sources(package.sources, task_root)
    return task_root


def versions(task_root: Path, names: tuple[str, ...]) -> dict[str, str]:
    """The versions of those of the named distributions that a package holds."""
    found: Mapping[str, str] = {one.name.lower(): one.version for one in distributions(path=[str(task_root)])}
    return {name: found[name] for name in names if name in found}


def _requirements(package: Package) -> str:
    if package.requirements is not None:
        return package.requirements.read_text()
    export = ["export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--no-annotate"]
    return _run([_uv(), *export, "--project", str(ROOT), "--quiet"])


def _digest(requirements: str) -> str:
    builder = Path(build_package.__file__).read_text()
    return hashlib.sha256(json.dumps([sys.version, requirements, builder]).encode()).hexdigest()


def _is_current(task_root: Path, stamp: str) -> bool:
    path = task_root / _STAMP
    return path.is_file() and path.read_text() == stamp


def _install(requirements: str, task_root: Path) -> None:
    task_root.mkdir(parents=True)
    listed = task_root / "requirements.txt"
    listed.write_text(requirements)
    options = ["--quiet", "--no-config", "--only-binary", ":all:", "--link-mode", "copy", "--python", sys.executable]
    _run([_uv(), "pip", "install", *options, "--target", str(task_root), "--requirements", str(listed)])
    build_package.remove(build_package.needless(task_root))
    build_package.remove(build_package.unused_service_data(task_root))
    build_package.shorten_metadata(task_root)
    build_package.compile_sources(task_root)


def _copy_sources(sources: Path, task_root: Path) -> None:
    staging = task_root.with_name(f"{task_root.name}.sources")
    shutil.rmtree(staging, ignore_errors=True)
    ignored = shutil.ignore_patterns(*build_package.LEFT_OUT, "requirements.txt")
    shutil.copytree(sources, staging, ignore=ignored)
    build_package.compile_sources(staging)
    for entry in staging.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            shutil.rmtree(task_root / entry.name, ignore_errors=True)
    shutil.copytree(staging, task_root, dirs_exist_ok=True)
    shutil.rmtree(staging)


def _uv() -> str:
    found = os.environ.get("UV") or shutil.which("uv")
    if found is None:
        raise FileNotFoundError("the bench installs the variants with uv, which is not in PATH")
    return found


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
