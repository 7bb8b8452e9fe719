"""Makes an answer before what it costs is consumed."""

from collections.abc import Awaitable, Callable

from auth.records import Grant

Prepare = Callable[[Grant, str | None], Awaitable[None]]
"""Awaited with a grant as it will be and its refresh token, if it has one, before the write that makes it so.

What it raises leaves the grant as it is: a key service that is down must cost no client its code or its refresh token.
It may be awaited again, when another write was faster; only the last time counts.
"""


async def nothing(_grant: Grant, _refresh_token: str | None) -> None:
    """Prepare nothing."""
