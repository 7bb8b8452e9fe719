"""The whole app over the conformance fixtures, for a door to name as its handler: `tests.conformance.app.app`."""

from mcp_app.app import create_app
from mcp_app.settings import Settings
from tests.conformance.fixtures import REGISTRY

app = create_app(Settings.from_environment(), REGISTRY)
