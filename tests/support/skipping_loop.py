"""An event loop whose time a test puts forward, so that hours pass at once and in order."""

import asyncio


class SkippingLoop(asyncio.SelectorEventLoop):
    """Real time, and beside it whatever was skipped: what was to happen meanwhile is due at once.

    A time-out that is under way when time is skipped is due too, also a test's own.
    """

    skipped = 0.0
    """Seconds by which this loop is ahead of the clock."""

    def time(self) -> float:
        """Seconds on this loop's clock."""
        return super().time() + self.skipped

    async def skip(self, seconds: float) -> None:
        """Put time forward and let what is due then happen, as far as it waits for nobody else."""
        self.skipped += seconds
        for _ in range(50):
            await asyncio.sleep(0)
