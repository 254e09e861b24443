"""Control charts: limits from a baseline, frozen, and the points that are held against them.

Source: NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2 (Shewhart charts), 6.3.2.3 (CUSUM), 6.3.2.4 (EWMA),
6.3.3 (attributes). Factors of the ranges: ibid., 6.3.2.1.

Rule: no limit is computed from a point that is judged by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

MIN_BASELINE: Final = 20
"""Subgroups from which limits may be taken: with fewer they are a guess themselves."""


@dataclass(frozen=True, slots=True)
class Factors:
    """Of ranges of subgroups of one size: σ = R̄ / d2, means within x̿ ± A2·R̄, ranges within D3·R̄ and D4·R̄."""

    d2: float
    a2: float
    d3: float
    d4: float


FACTORS: Final = {
    2: Factors(1.128, 1.880, 0, 3.267),
    3: Factors(1.693, 1.023, 0, 2.574),
    4: Factors(2.059, 0.729, 0, 2.282),
    5: Factors(2.326, 0.577, 0, 2.114),
    6: Factors(2.534, 0.483, 0, 2.004),
    7: Factors(2.704, 0.419, 0.076, 1.924),
    8: Factors(2.847, 0.373, 0.136, 1.864),
    9: Factors(2.970, 0.337, 0.184, 1.816),
    10: Factors(3.078, 0.308, 0.223, 1.777),
}
"""By size of the subgroup."""


@dataclass(frozen=True, slots=True)
class Band:
    """A centre line and its limits, at `sigma` times 3; `lower` and `upper` may be cut off where values cannot be."""

    center: float
    sigma: float
    lower: float
    upper: float

    def standardised(self, value: float) -> float:
        """Distance from the centre in deviations."""
        return (value - self.center) / self.sigma


@dataclass(frozen=True, slots=True)
class Shewhart:
    """The two charts of measured values: of the values or means, and of their ranges.

    Attributes:
        sigma: Standard deviation of a single value.
    """

    sigma: float
    values: Band
    ranges: Band


def moving_ranges(values: Sequence[float]) -> list[float]:
    """Distances between neighbours; one fewer than there are values."""
    return [abs(b - a) for a, b in pairwise(values)]


def individuals(center: float, sigma: float) -> Shewhart:
    """I–MR: single values within x̄ ± 3σ, moving ranges up to D4·MR̄."""
    mean_range = FACTORS[2].d2 * sigma
    return Shewhart(
        sigma,
        Band(center, sigma, center - 3 * sigma, center + 3 * sigma),
        Band(mean_range, (FACTORS[2].d4 - 1) * mean_range / 3, 0.0, FACTORS[2].d4 * mean_range),
    )


def individuals_baseline(values: Sequence[float]) -> tuple[float, float]:
    """Mean of at least two values, and their σ as MR̄ / 1.128."""
    ranges = moving_ranges(values)
    return math.fsum(values) / len(values), math.fsum(ranges) / len(ranges) / FACTORS[2].d2


def means_and_ranges(center: float, sigma: float, size: int) -> Shewhart:
    """X̄–R: means of subgroups within x̿ ± A2·R̄, their ranges within D3·R̄ and D4·R̄."""
    factors = FACTORS[size]
    mean_range = factors.d2 * sigma
    half = factors.a2 * mean_range
    return Shewhart(
        sigma,
        Band(center, half / 3, center - half, center + half),
        Band(mean_range, (factors.d4 - 1) * mean_range / 3, factors.d3 * mean_range, factors.d4 * mean_range),
    )


def means_and_ranges_baseline(subgroups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Mean of all values of subgroups of one size, and their σ as R̄ / d2."""
    ranges = [max(group) - min(group) for group in subgroups]
    means = [math.fsum(group) / len(group) for group in subgroups]
    return math.fsum(means) / len(means), math.fsum(ranges) / len(ranges) / FACTORS[len(subgroups[0])].d2


def share_band(share: float, size: float) -> Band:
    """p chart: p̄ ± 3·√(p̄(1 − p̄)/n), cut off at 0 and 1."""
    sigma = math.sqrt(share * (1 - share) / size)
    return Band(share, sigma, max(0.0, share - 3 * sigma), min(1.0, share + 3 * sigma))


def rate_band(rate: float, size: float) -> Band:
    """u chart: ū ± 3·√(ū/n), cut off at 0."""
    sigma = math.sqrt(rate / size)
    return Band(rate, sigma, max(0.0, rate - 3 * sigma), rate + 3 * sigma)


def ewma(values: Sequence[float], *, target: float, weight: float) -> list[float]:
    """Exponentially weighted moving average: z_t = λ·x_t + (1 − λ)·z_(t−1), from the target on."""
    averages, z = [], target
    for value in values:
        z = weight * value + (1 - weight) * z
        averages.append(z)
    return averages


def ewma_band(t: float, *, target: float, sigma: float, weight: float, width: float) -> Band:
    """Limits at the t-th average, from 1: μ ± L·σ·√(λ/(2 − λ)·(1 − (1 − λ)^(2t))). At infinity they stand still."""
    deviation = sigma * math.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * t)))
    return Band(target, deviation, target - width * deviation, target + width * deviation)


@dataclass(frozen=True, slots=True)
class Cusum:
    """The two cumulative sums at one point; either alarms above the decision limit h."""

    high: float
    low: float


def cusum(values: Sequence[float], *, target: float, slack: float) -> list[Cusum]:
    """S⁺ = max(0, S⁺ + x − μ₀ − k) and S⁻ = max(0, S⁻ + μ₀ − k − x), from 0 on."""
    sums, high, low = [], 0.0, 0.0
    for value in values:
        high = max(0.0, high + value - target - slack)
        low = max(0.0, low + target - slack - value)
        sums.append(Cusum(high, low))
    return sums
