"""The AWS SAM CLI and its friends, in the environment of their own that `uv sync --only-group sam` makes."""

import functools
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.cloudformation import Stack, Template
from tests.support.tools import require

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-sam"


def run(tool: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run one of the environment's tools in the repository's root, away from any AWS account of whoever runs the tests.

    Fails the test, with what the tool said, where it exits with anything but 0.
    """
    path = ENVIRONMENT / "bin" / tool
    program = require(
        path if path.exists() else None,
        f"{tool} of the AWS SAM CLI's environment",
        "UV_PROJECT_ENVIRONMENT=.venv-sam uv sync --only-group sam",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    account = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }
    done = subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        env=kept | account | dict(env or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{tool} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


@functools.cache
def transformed() -> Template:
    """template.yaml as the SAM transform hands it to CloudFormation."""
    template: Template = json.loads(run("python", "tests/support/sam_transform.py", "template.yaml").stdout)
    return template


def stack(**parameters: str) -> Stack:
    """What CloudFormation would make of template.yaml with these parameters."""
    return Stack(transformed(), parameters)


def build(directory: Path, architecture: str, function: str | None = None) -> Path:
    """Build one function, or all of them, for an architecture into a directory; return the directory."""
    chosen = [function] if function else []
    run("sam", "build", *chosen, "--build-dir", directory, "--parameter-overrides", f"Architecture={architecture}")
    return directory
