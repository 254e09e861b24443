"""How two measured things go together.

Sources: Pearson's r and its t test with n − 2 degrees of freedom; Fisher's z for the
interval, atanh(r) ± 1.96/√(n − 3);
Spearman's rank correlation as Pearson's r of mid-ranks. NIST Dataplot reference manual, CORRELATION and RANK
CORRELATION.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, compress
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


@dataclass(frozen=True, slots=True)
class _Side:
    """One of two things, as told by the observations that tell both.

    Attributes:
        mean: None of no observations.
        centred: Differences from the mean, in units of the largest, so that no square overflows or vanishes.
        squares: Sum of the squares of these.
    """

    mean: float | None
    centred: Sequence[float]
    squares: float
    is_constant: bool

    @classmethod
    def of(cls, values: Sequence[float]) -> _Side:
        if not values:
            return cls(None, (), 0.0, is_constant=True)
        mean = math.fsum(values) / len(values)
        differences = [value - mean for value in values]
        scale = max(map(abs, differences)) or 1.0
        centred = [difference / scale for difference in differences]
        return cls(mean, centred, math.fsum(map(mul, centred, centred)), min(values) == max(values))


def correlate(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """The correlation of pairs: `x[i]` belongs to `y[i]`."""
    return _correlation(_Side.of(x), _Side.of(y), lambda: pearson(ranks(x), ranks(y)))


def correlate_all(
    columns: Mapping[str, Sequence[float | None]],
) -> Iterator[tuple[str, str, Correlation]]:
    """Each of the columns with each later one, over the observations that tell both, without ranks.

    Columns are as long as each other; None is what an observation does not tell. What belongs to one column is computed
    once for all others that are told by the same observations, which is most of the work.
    """
    length = max(map(len, columns.values()), default=0)
    told = {name: int.from_bytes([value is not None for value in values]) for name, values in columns.items()}

    @cache
    def side(name: str, observations: int) -> _Side:
        # compress passes only what is told
        values = compress(columns[name], observations.to_bytes(length))
        return _Side.of([value for value in values if value is not None])

    for x, y in combinations(columns, 2):
        both = told[x] & told[y]
        yield x, y, _correlation(side(x, both), side(y, both), lambda: None)


def _correlation(x: _Side, y: _Side, spearman: Callable[[], float | None]) -> Correlation:
    n = len(x.centred)
    if n < MIN_PAIRS:
        return Correlation(
            None, n, x.mean, y.mean, None, None, None, None, f"too few pairs: {n}, at least 3 are needed"
        )
    r = _pearson(x, y)
    if r is None:
        constant = "x" if x.is_constant else "y"
        return Correlation(None, n, x.mean, y.mean, None, None, None, None, f"{constant} has one value only")
    if abs(r) == 1:
        return Correlation(r, n, x.mean, y.mean, None, 0.0, spearman(), None, None)
    t_stat = r * math.sqrt((n - 2) / (1 - r * r))
    return Correlation(r, n, x.mean, y.mean, t_stat, t_p_value(t_stat, n - 2), spearman(), _interval(r, n), None)


def pearson(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson's r; None when one of them does not vary."""
    return _pearson(_Side.of(x), _Side.of(y))


def _pearson(x: _Side, y: _Side) -> float | None:
    squares = x.squares * y.squares
    if squares <= 0 or x.is_constant or y.is_constant:
        return None
    r = math.fsum(map(mul, x.centred, y.centred)) / math.sqrt(squares)
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


def _interval(r: float, n: int) -> tuple[float, float] | None:
    if n == MIN_PAIRS:
        return None
    half = Z_95 / math.sqrt(n - 3)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
