"""What `python -m bench stream` runs as Lambda functions.

Each event carries the moment, in seconds since the epoch, at which it was handed to the runtime.
"""

import asyncio
import time
from collections.abc import AsyncIterator

EVENTS = 5
INTERVAL_SECONDS = 0.3


async def moments() -> AsyncIterator[str]:
    """The words of each event, when its time has come."""
    for number in range(EVENTS):
        if number:
            await asyncio.sleep(INTERVAL_SECONDS)
        yield f"at {time.time():.6f}"
