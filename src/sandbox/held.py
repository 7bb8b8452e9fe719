"""The sandbox that a request came to."""

from starlette.requests import Request

from sandbox.sandbox import Sandbox


def sandbox_of(request: Request) -> Sandbox:
    """The sandbox that serves a request."""
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox
