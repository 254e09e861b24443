"""The two special functions that intervals and p-values need: the incomplete beta function and its inverse.

Source: NIST Digital Library of Mathematical Functions, 8.17 (dlmf.nist.gov/8.17): the continued fraction 8.17.22,
evaluated by the modified Lentz method, and the symmetry 8.17.4.
"""

from __future__ import annotations

import math
from typing import Final

_TINY: Final = 1e-300
"""Stands for a zero in a denominator of the continued fraction."""
_PRECISION: Final = 1e-16
_MOST_TERMS: Final = 10_000
"""The fraction needs some √max(a, b) terms; this is enough for a hundred million jobs."""
_HALVINGS: Final = 200


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b): the probability that a Beta(a, b) variable is at most `x`.

    Args:
        a, b: Greater than 0.
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    return front * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _nonzero(1 + term * d)
            c = _nonzero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The `x` with I_x(a, b) = `probability`, by halving: I_x grows with x."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if incomplete_beta(a, b, middle) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_p_value(t: float, degrees: float) -> float:
    """Two-sided p-value of a t statistic with ν degrees of freedom: I_x(ν/2, 1/2) with x = ν / (ν + t²)."""
    square = t * t
    if square < degrees:  # near x = 1, 1 − x keeps the digits that x loses
        return 1 - incomplete_beta(0.5, degrees / 2, square / (degrees + square))
    return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + square))


def binomial_below(k: int, n: int, p: float) -> float:
    """Probability of at most `k` among `n` cases of probability `p` each: I_(1−p)(n − k, k + 1), DLMF 8.17.5."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else incomplete_beta(n - k, k + 1, 1 - p)
