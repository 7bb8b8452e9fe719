"""The bandwidth of a streamed response: a burst at full speed, then a fixed rate."""

import time
from collections.abc import Callable


class Throttle:
    """A token bucket of bytes.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html#config-rs-bandwidth
    """

    def __init__(self, burst: int, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._rate = rate
        self._clock = clock
        self._tokens = float(burst)
        self._filled = clock()

    def delay(self, size: int) -> float:
        """Take `size` bytes from the bucket; return how many seconds later they may be sent."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate) - size
        self._filled = now
        return max(0.0, -self._tokens / self._rate)
