"""How two measured things go together.

Sources: Pearson's r and its t test with n − 2 degrees of freedom; Fisher's z for the
interval, atanh(r) ± 1.96/√(n − 3);
Spearman's rank correlation as Pearson's r of mid-ranks. NIST Dataplot reference manual, CORRELATION and RANK
CORRELATION.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final

from rmos.analytics.special import t_p_value

MIN_PAIRS: Final = 3
"""With two points every line fits."""
Z_95: Final = 1.959963984540054
"""The 0.975 quantile of the normal distribution."""
_ROUNDING: Final = 1e-12
"""How far from ±1 the r of points on one line may come out."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """Whether two things go together.

    Attributes:
        r: Pearson's coefficient; None with `error` where it is not defined.
        t_stat: None also where r is ±1: it would be infinite.
        p_value: Probability of such an r, or a larger one of either sign, were there no correlation.
        spearman: The same of the ranks: robust against outliers, and against relations that are not straight.
        ci95: Interval for r; None for n = 3, and where r is ±1.
    """

    r: float | None
    n: int
    mean_x: float | None
    mean_y: float | None
    t_stat: float | None
    p_value: float | None
    spearman: float | None
    ci95: tuple[float, float] | None
    error: str | None


def correlate(x: Sequence[float], y: Sequence[float], *, with_ranks: bool = True) -> Correlation:
    """The correlation of pairs: `x[i]` belongs to `y[i]`. Ranks, which take most of the time, may be left out."""
    n = len(x)
    mean_x, mean_y = (math.fsum(values) / n if n else None for values in (x, y))
    if n < MIN_PAIRS:
        return Correlation(
            None, n, mean_x, mean_y, None, None, None, None, f"too few pairs: {n}, at least 3 are needed"
        )
    r = pearson(x, y)
    if r is None:
        constant = "x" if min(x) == max(x) else "y"
        return Correlation(None, n, mean_x, mean_y, None, None, None, None, f"{constant} has one value only")
    spearman = pearson(ranks(x), ranks(y)) if with_ranks else None
    if abs(r) == 1:
        return Correlation(r, n, mean_x, mean_y, None, 0.0, spearman, None, None)
    t_stat = r * math.sqrt((n - 2) / (1 - r * r))
    return Correlation(r, n, mean_x, mean_y, t_stat, t_p_value(t_stat, n - 2), spearman, _interval(r, n), None)


def pearson(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson's r; None when one of them does not vary."""
    dx, dy = _centred(x), _centred(y)
    squares = math.fsum(map(mul, dx, dx)) * math.fsum(map(mul, dy, dy))
    if squares <= 0 or min(x) == max(x) or min(y) == max(y):
        return None
    r = math.fsum(map(mul, dx, dy)) / math.sqrt(squares)
    return math.copysign(1.0, r) if abs(r) > 1 - _ROUNDING else r


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            found[place] = (start + 1 + end) / 2
        start = end
    return found


def _centred(values: Sequence[float]) -> list[float]:
    """Differences from the mean, in units of the largest, so that no square overflows or vanishes."""
    mean = math.fsum(values) / len(values)
    differences = [value - mean for value in values]
    scale = max(map(abs, differences)) or 1.0
    return [difference / scale for difference in differences]


def _interval(r: float, n: int) -> tuple[float, float] | None:
    if n == MIN_PAIRS:
        return None
    half = Z_95 / math.sqrt(n - 3)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
