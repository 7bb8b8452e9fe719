"""The command line in a folder of its own."""

import pytest

from tests.support.cli import Cli


@pytest.fixture
def mcpx(tmp_path):
    return Cli(tmp_path)
