"""What root may do and others may not: taken away for a while, so that a test sees the same whoever runs it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Be nobody, in every thread of this process, while the block runs; the folder is nobody's from then on."""
    if os.geteuid():
        yield
        return
    os.chown(folder, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def nobodys_folder() -> Iterator[Path]:
    """A folder that can be reached by whoever has no rights, and being nobody, while the block runs."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name, unprivileged(Path(name)):
        folder = Path(name, "data")
        folder.mkdir()
        yield folder
