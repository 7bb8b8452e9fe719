"""Built packages, one build of each for all the tests that look at them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import sam


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("build")
    yield sam.build(directory, "x86_64")
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def artifact(built: Path) -> Path:
    """The package of the MCP function for x86_64, as `sam build` leaves it."""
    return built / "McpFunction"


@pytest.fixture(scope="session")
def arm64_artifact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("build-arm64")
    yield sam.build(directory, "arm64", "McpFunction") / "McpFunction"
    shutil.rmtree(directory)
