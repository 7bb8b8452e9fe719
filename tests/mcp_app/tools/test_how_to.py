"""The how-to's tool is a tool, and its tests pass."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_following_the_how_to_gives_a_tool_whose_tests_pass(tmp_path: Path) -> None:
    tool, tests = re.findall(r"```python\n(.*?)```", (ROOT / "docs/how-to/add-a-tool.md").read_text(), re.DOTALL)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests/support", tmp_path / "tests/support", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests/conftest.py", tmp_path / "tests")
    (tmp_path / "src/mcp_app/tools/utility/find_place.py").write_text(tool)
    (tmp_path / "tests/test_find_place.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "pythonpath=src .", "tests"]
    alone = {**os.environ, "PYTEST_ADDOPTS": ""}  # not this run's number of processes
    done = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
