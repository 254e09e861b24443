"""What a series says beyond what its own past says: residuals of a one-step forecast.

Control charts take values as independent. Of a series in which each value follows from the one before (temperatures, a
tool that wears), it is these residuals that are, and that can be charted.

Source: Alwan & Roberts, "Time-Series Modeling for Statistical Process Control", *Journal of Business & Economic
Statistics* 6 (1988); Montgomery, *Introduction to Statistical Quality Control*, 7th ed., §10.4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def autocorrelation(values: Sequence[float]) -> float:
    """Correlation of each value with the one before it, -1 to 1; 0 without a spread.

    Args:
        values: Oldest first; at least 2.
    """
    mean = math.fsum(values) / len(values)
    distances = [value - mean for value in values]
    spread = math.fsum(distance * distance for distance in distances)
    return math.fsum(a * b for a, b in pairwise(distances)) / spread if spread else 0.0


def residuals(values: Sequence[float], *, center: float, weight: float) -> list[float]:
    """Each value less its forecast from the one before: x_t − (μ + φ·(x_(t−1) − μ)).

    Args:
        values: Oldest first.
        center: μ, the mean of a baseline; it is the forecast of the first value too.
        weight: φ, the `autocorrelation` of the baseline.

    Returns:
        As many as there are values, around 0.
    """
    before = [center, *values][: len(values)]
    return [value - center - weight * (last - center) for value, last in zip(values, before, strict=True)]
