"""A set of numbers in a few: count, least, greatest, mean, median; and shares in percent."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """What a set of numbers comes to; all but `count` are None when it is empty."""

    count: int
    min: float | None
    max: float | None
    avg: float | None
    median: float | None


def summary(values: Sequence[float]) -> Summary:
    """The summary of the values. The mean is exact to the last digit (`math.fsum`)."""
    if not values:
        return Summary(0, None, None, None, None)
    return Summary(len(values), min(values), max(values), math.fsum(values) / len(values), statistics.median(values))


def mean(total: float, count: int) -> float | None:
    """The mean of `count` values that make `total`; None of none."""
    return total / count if count else None


def share(part: float, whole: float) -> float:
    """Percent that a part of a whole is; 0 of nothing."""
    return part / whole * 100 if whole else 0.0


def success_rate(completed: int, failed: int) -> float | None:
    """Completed jobs in percent of those that ended one way or the other; None when none did.

    Jobs that are open or were cancelled say nothing about success.
    """
    return completed / (completed + failed) * 100 if completed + failed else None
