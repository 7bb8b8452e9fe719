"""Make a Lambda package of a directory that dependencies were installed into, and of our own sources.

Run by the CPython whose bytecode the package is to hold. Two runs over the same input give the same tree: nothing in
it depends on the time, the place or the order of the build.
"""

import argparse
import os
import py_compile
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

TASK_ROOT = "/var/task"
RUNTIME = (3, 13)

# The command line, the sandbox and the emulator are for the machine of whoever develops.
LEFT_OUT = ("mcpx", "sandbox", "emulator", "emulator.py", "__pycache__", "*.pyc", "*.md")

SERVICES = frozenset({"dynamodb", "kms", "secretsmanager"})

# All that importlib.metadata is asked for at run time: versions, and entry points.
METADATA_KEPT = frozenset({"METADATA", "entry_points.txt"})


def needless(site: Path) -> Iterator[Path]:
    """Yield what a server never reads: tests, type stubs, command line scripts, C headers, installers' records."""
    yield from (site / name for name in ("bin", ".lock", "requirements.txt") if (site / name).exists())
    yield from (path for path in site.rglob("tests") if path.is_dir())
    for pattern in ("*.pyi", "py.typed", "*.h", "*.rst", "*.c", "*.pxd"):
        yield from site.rglob(pattern)
    for path in site.glob("*.dist-info/*"):
        if path.name not in METADATA_KEPT:
            yield path


def unused_service_data(site: Path, services: frozenset[str] = SERVICES) -> Iterator[Path]:
    """Yield boto's descriptions of the services that nothing here calls, and the examples of those it does call."""
    for data in (site / "botocore/data", site / "boto3/data"):
        for path in data.iterdir() if data.is_dir() else ():
            if path.is_dir() and path.name not in services:
                yield path
            else:
                yield from path.rglob("examples-*.json*")


def remove(paths: Iterable[Path]) -> None:
    """Remove files and whole directories; one inside a directory that is already gone is passed over."""
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def shorten_metadata(site: Path) -> None:
    """Keep the headers of each METADATA file: looking up a version parses the file, readme and all."""
    for path in site.glob("*.dist-info/METADATA"):
        headers, _, _ = path.read_bytes().partition(b"\n\n")
        path.write_bytes(headers + b"\n")


def compile_sources(root: Path) -> None:
    """Write the bytecode that Python would look for beside each source, with the path that it will have on Lambda.

    Unchecked hashes, because `/var/task` is read-only, its timestamps are not those of the build, and a check would
    read each source on each cold start. The sources stay, for tracebacks.

    Raises:
        py_compile.PyCompileError: where a source does not compile.
    """
    for source in sorted(root.rglob("*.py")):
        py_compile.compile(
            str(source),
            dfile=f"{TASK_ROOT}/{source.relative_to(root).as_posix()}",
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def set_modes(root: Path) -> None:
    """Make everything readable to the user that Lambda runs as, whatever the umask here; executables stay so."""
    for path in (root, *root.rglob("*")):
        executable = path.is_dir() or os.access(path, os.X_OK)
        path.chmod(0o755 if executable else 0o644)


def build(sources: Path, site: Path) -> None:
    """Turn `site`, which holds the installed dependencies, into the package, with the tree of `sources` on top."""
    remove(needless(site))
    remove(unused_service_data(site))
    shorten_metadata(site)
    shutil.copytree(sources, site, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    compile_sources(site)
    set_modes(site)


def main() -> None:
    """Read the command line, and build."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path, help="directory that holds our packages")
    parser.add_argument("site", type=Path, help="directory that the dependencies were installed into")
    arguments = parser.parse_args()
    if sys.version_info[:2] != RUNTIME:
        parser.error("Lambda runs CPython {}.{}: build with that".format(*RUNTIME))
    build(arguments.sources, arguments.site)


if __name__ == "__main__":
    main()
