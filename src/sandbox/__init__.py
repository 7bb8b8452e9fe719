"""A NeonPanel to play with: a real HTTP server over made-up companies, with a switch for every fault.

It is for development: the Lambda package is made without it.
"""

from sandbox.failing import SECRET_UPSTREAM_TEXT
from sandbox.received import Received
from sandbox.running import running
from sandbox.sandbox import Sandbox

__all__ = ["SECRET_UPSTREAM_TEXT", "Received", "Sandbox", "running"]
