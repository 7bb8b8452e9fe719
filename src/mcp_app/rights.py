"""Whose rights a call to a service has."""

from typing import Literal

Rights = Literal["user", "service", "hybrid"]
"""The caller's own; this server's; or the caller's where there are any, and else this server's."""
