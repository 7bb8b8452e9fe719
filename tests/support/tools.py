"""Tools that are not Python packages: found, or the test that needs them is skipped with the reason."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def require(path: Path | None, what: str, how_to_get: str) -> Path:
    """The tool's path. Where it is missing, skip the test; on CI (the variable `CI` is set), fail it."""
    if path is not None and path.exists():
        return path
    message = f"{what} is missing: {how_to_get}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def lambda_emulator() -> Path:
    """AWS's Runtime Interface Emulator, from the `aws-sam-cli` package or wherever `MCPX_RIE` says."""
    named = os.environ.get("MCPX_RIE")
    pattern = ".venv-sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"
    found = Path(named) if named else next(iter(sorted(ROOT.glob(pattern))), None)
    how = "uv sync --only-group sam into .venv-sam (UV_PROJECT_ENVIRONMENT), or name it in MCPX_RIE"
    return require(found, "AWS's Runtime Interface Emulator", how)
