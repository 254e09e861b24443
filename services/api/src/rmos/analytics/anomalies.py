"""What is far from the usual.

Sources: modified z-score 0.6745·(x − median)/MAD: Iglewicz & Hoaglin, *How to Detect and Handle Outliers* (1993), with
their 1.253314·(mean absolute deviation) where the MAD is 0; NIST e-Handbook 1.3.5.17. Shares: exact binomial
probabilities with the mid-p of Lancaster (1961).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rmos.analytics.special import binomial_below

_MAD_TO_SIGMA: Final = 0.6745
_MEAN_DEVIATION_TO_SIGMA: Final = 1.253314
MIN_GROUP: Final = 5
"""Fewer values have no spread to speak of: one value in four moves the median itself."""
_LEAST_PROBABILITY: Final = 1e-300
"""Scores end at 37, where probabilities leave the range of floats."""
_NORMAL: Final = statistics.NormalDist()
_SEVERITIES: Final = ((2.0, "critical"), (1.5, "high"), (1.0, "medium"))
"""From so many times the threshold on."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the values of a group lie.

    Attributes:
        stdev: Of the values as a whole (divided by n).
        mad: Median of the distances from the median.
        mean_deviation: Mean of the distances from the median.
    """

    n: int
    mean: float
    stdev: float
    median: float
    mad: float
    mean_deviation: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        n, mean, median = len(values), math.fsum(values) / len(values), statistics.median(values)
        stdev = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / n)
        distances = [abs(value - median) for value in values]
        return cls(n, mean, stdev, median, statistics.median(distances), math.fsum(distances) / n)

    def z_score(self, value: float) -> float | None:
        """Distance from the mean in standard deviations; at most √(n − 1), however far. None without a spread."""
        return (value - self.mean) / self.stdev if self.stdev else None

    def robust_z(self, value: float) -> float | None:
        """Distance from the median, made comparable with `z_score`, but not pulled by outliers themselves."""
        if self.mad:
            return _MAD_TO_SIGMA * (value - self.median) / self.mad
        if self.mean_deviation:
            return (value - self.median) / (_MEAN_DEVIATION_TO_SIGMA * self.mean_deviation)
        return None

    @property
    def is_too_few(self) -> bool:
        """Whether nothing can be said of outliers."""
        return self.n < MIN_GROUP


def severity(distance: float, threshold: float) -> str | None:
    """How far beyond the threshold; None within it."""
    return next((name for times, name in _SEVERITIES if abs(distance) >= times * threshold), None)


def share_z(events: int, n: int, expected: float) -> float:
    """How far a share is from the expected one, as the normal deviate that is as improbable.

    The probability is the exact one of the binomial distribution, of the outcomes beyond and half of the outcome itself
    (mid-p), so few cases have small scores by themselves.
    """
    below = (binomial_below(events, n, expected) + binomial_below(events - 1, n, expected)) / 2
    above = (binomial_below(n - events, n, 1 - expected) + binomial_below(n - events - 1, n, 1 - expected)) / 2
    if below < above:
        return _NORMAL.inv_cdf(max(below, _LEAST_PROBABILITY))
    return -_NORMAL.inv_cdf(max(above, _LEAST_PROBABILITY))


def can_reach(n: int, expected: float, threshold: float) -> bool:
    """Whether any outcome of `n` cases would be that far from the expected share."""
    return n > 0 and max(-share_z(0, n, expected), share_z(n, n, expected)) >= threshold
