"""Order statistics of samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """What is quoted of a series of samples, in their unit."""

    count: int
    median: float
    p95: float
    p99: float
    minimum: float
    maximum: float


def percentile(samples: Sequence[float], fraction: float) -> float:
    """The value that `fraction` of the samples do not exceed, interpolated between the two nearest.

    Raises:
        ValueError: no samples, or a fraction outside 0 to 1.
    """
    if not samples or not 0 <= fraction <= 1:
        raise ValueError("a percentile needs samples, and a fraction from 0 to 1")
    ordered = sorted(samples)
    position = (len(ordered) - 1) * fraction
    below, above = ordered[math.floor(position)], ordered[math.ceil(position)]
    return below + (above - below) * (position - math.floor(position))


def summarize(samples: Sequence[float]) -> Summary:
    """Summarize a series of samples. Raises ValueError where there are none."""
    return Summary(
        count=len(samples),
        median=percentile(samples, 0.5),
        p95=percentile(samples, 0.95),
        p99=percentile(samples, 0.99),
        minimum=percentile(samples, 0),
        maximum=percentile(samples, 1),
    )
