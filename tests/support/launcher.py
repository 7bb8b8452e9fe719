"""The `mcpx` command, which fetches client metadata documents from a site of the tests and from nowhere else.

`python -m tests.support.launcher ARGUMENTS`, with the site in the variables that `site_variables` gives.
"""

import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import mcp_app.app
import mcpx.lambda_url
from mcp_app.authorization import authorization_server
from mcpx.cli import main
from tests.support.client_documents import ClientDocuments, injected

PROGRAM = (sys.executable, "-m", "tests.support.launcher")
ROOT = Path(__file__).parents[2]
PORT, CERTIFICATE = "TEST_DOCUMENTS_PORT", "TEST_DOCUMENTS_CERTIFICATE"
VARIABLES = (PORT, CERTIFICATE, "PYTHONPATH")


def site_variables(site: ClientDocuments) -> dict[str, str]:
    """What the launcher, and each sandbox that it starts, is told of the site."""
    return {PORT: str(site.port), CERTIFICATE: site.certificate, "PYTHONPATH": str(ROOT)}


def inject() -> None:
    """Make every app of this process fetch from the site."""
    documents = injected(int(os.environ[PORT]), os.environ[CERTIFICATE])
    mcp_app.app.authorization_server = partial(authorization_server, documents=documents)


def inject_into_sandboxes() -> None:
    """Make every sandbox of this process do so."""
    made = mcpx.lambda_url._environment

    def environment(*arguments: Any) -> Mapping[str, str]:
        return {**made(*arguments), **{name: os.environ[name] for name in VARIABLES}}

    mcpx.lambda_url._environment = environment
    mcpx.lambda_url.HANDLER = "tests.support.launcher_door.app"


if __name__ == "__main__":
    inject()
    inject_into_sandboxes()
    sys.exit(main())
