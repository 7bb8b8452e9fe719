"""`mcpx serve` or `mcpx lambda` with users of its own, as OAuth clients find it."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.client_documents import ClientDocuments
from tests.support.command import MCPX, environment, running
from tests.support.launcher import PROGRAM, site_variables
from tests.support.person import Person

KINDS = ("serve", "lambda")

CALLBACK = "http://127.0.0.1:49152/callback"
"""Where clients want their answers; nobody listens there, as the person hands over the URL."""


@dataclass(frozen=True)
class Service:
    """A running server.

    Attributes:
        kind: the command that serves.
        url: its origin.
        variables: which of the settings are not the defaults.
    """

    kind: str
    url: str
    variables: Mapping[str, str]

    @property
    def mcp(self) -> str:
        """What people give to a client."""
        return f"{self.url}/mcp"

    def person(self) -> Person:
        """The user that a first start on a laptop makes."""
        return Person("mcpuser", "OMG!letmein")

    def register(self, way: str) -> dict[str, str]:
        """Register a client beforehand; its id, and its secret where it has one.

        Args:
            way: how it authenticates, or `client_credentials` where it acts for itself.
        """
        options = {
            "none": ["--public", "--redirect-uri", CALLBACK],
            "client_credentials": ["--grant", "client_credentials"],
        }.get(way, ["--auth-method", way, "--redirect-uri", CALLBACK])
        command = [MCPX, "clients", "add", "--json", "--name", f"Interop {way}", *options]
        done = subprocess.run(command, env=environment(self.variables), capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        return {name: told[name] for name in ("client_id", "client_secret") if name in told}


@contextmanager
def service(kind: str, folder: Path, site: ClientDocuments | None = None) -> Iterator[Service]:
    """Serve while the block runs.

    Args:
        kind: `serve` or `lambda`.
        folder: for its users and keys.
        site: where client metadata documents come from, if not from the Internet.
    """
    variables = {"AUTH_DB_PATH": str(folder / "auth.db"), "LOG_LEVEL": "WARNING"}
    more = {} if site is None else {"env": variables | site_variables(site), "program": PROGRAM}
    with running(kind, **{"env": variables, **more}) as command:
        yield Service(kind, command.url, variables)
