"""When a running job will be done, from the past of its like.

Rule 1: the past of a job are the durations of completed jobs of its pattern and type; where there are fewer than
`ENOUGH` of them, those of its type.
Rule 2: a job that has run for a while is compared only with those that ran longer (the conditional distribution), so
the estimate never lies in the past.
Rule 3: reported progress p speaks with weight p, the past with 1 − p. Progress that was reported at `t` seconds says
t / p. So the estimate moves from the past's to the machine's own, and the interval closes.
Rule 4: too few give no number. A median needs `FEW` durations, an interval of 80 % needs `ENOUGH`.

Source of the interval: order statistics of an exchangeable sample of size m are a distribution-free prediction
interval, x(i) to x(j) holding the next value with probability (j − i) / (m + 1): Hahn & Meeker, *Statistical Intervals*
(1991), §5.3. With i = ⌊0.1 (m + 1)⌋ and j = ⌈0.9 (m + 1)⌉ it is at least 80 %.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FEW: Final = 3
ENOUGH: Final = 9
"""The fewest of which the smallest and the largest hold the next with 80 %."""
TAIL: Final = 0.1
LEAST_PROGRESS: Final = 0.02
"""Below it, progress says nothing about the whole."""


@dataclass(frozen=True, slots=True)
class Past:
    """Durations of completed jobs in seconds, ascending, and whose they are: `pattern` or `job_type`."""

    durations_s: Sequence[float]
    basis: str


@dataclass(frozen=True, slots=True)
class Report:
    """Progress, a share of 1, that was reported when the job had run for `elapsed_s` seconds."""

    progress: float
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long a job takes in all, in seconds from its start.

    Attributes:
        duration_s: Middle estimate; None when there are too few to compare with and no progress.
        interval_s: Where the duration is with 80 %; None when there are too few.
        basis: `pattern`, `job_type`, with `+progress` when that had a say; `progress` alone; `none`.
        n: Completed jobs compared with: those that ran longer than this one has.
        overrun_s: How far it is beyond the interval of all its past; 0 within it; None without an interval.
    """

    duration_s: float | None
    interval_s: tuple[float, float] | None
    basis: str
    n: int
    overrun_s: float | None


def choose_past(of_pattern: Sequence[float], of_type: Sequence[float]) -> Past:
    """The more particular past that is long enough. Both ascending."""
    return Past(of_pattern, "pattern") if len(of_pattern) >= ENOUGH else Past(of_type, "job_type")


def estimate(past: Past, *, elapsed_s: float, report: Report | None = None) -> Estimate:
    """The estimate for a job that has run for `elapsed_s` seconds."""
    whole = _interval(past.durations_s)
    longer = past.durations_s[bisect_right(past.durations_s, elapsed_s) :]
    middle = statistics.median(longer) if len(longer) >= FEW else None
    interval = _interval(longer)
    basis = past.basis if middle is not None else "none"
    if report is not None and LEAST_PROGRESS <= report.progress <= 1:
        told_s = max(report.elapsed_s / report.progress, elapsed_s)
        share = report.progress
        interval = None if interval is None else (_mix(interval[0], told_s, share), _mix(interval[1], told_s, share))
        basis = "progress" if middle is None else f"{past.basis}+progress"
        middle = told_s if middle is None else _mix(middle, told_s, share)
    overrun_s = None if whole is None else max(0.0, elapsed_s - whole[1])
    return Estimate(middle, interval, basis, len(longer), overrun_s)


def _mix(past_s: float, told_s: float, share: float) -> float:
    return (1 - share) * past_s + share * told_s


def _interval(ascending: Sequence[float]) -> tuple[float, float] | None:
    m = len(ascending)
    if m < ENOUGH:
        return None
    # Rounded first: 0.9 · 10 is a little more than 9 in binary, and its ceiling would be 10.
    low, high = math.floor(round(TAIL * (m + 1), 9)), math.ceil(round((1 - TAIL) * (m + 1), 9))
    return ascending[low - 1], ascending[high - 1]


@dataclass(frozen=True, slots=True)
class Trial:
    """One held-out job at one moment of its run: what was estimated and what came, in seconds."""

    elapsed_share: float
    found: Estimate
    duration_s: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How good estimates were that knew only the past.

    Attributes:
        n: Estimates with an interval; `coverage` is the share of them whose interval held the true duration.
        median_error: Median of |estimate − duration| / duration, of those with a middle estimate.
        median_width: Median of the interval's width / duration.
    """

    n: int
    coverage: float | None
    median_error: float | None
    median_width: float | None


def quality(trials: Sequence[Trial]) -> Quality:
    """What the trials come to."""
    bounded = [(trial.found.interval_s, trial.duration_s) for trial in trials if trial.found.interval_s is not None]
    errors = [
        abs(trial.found.duration_s - trial.duration_s) / trial.duration_s
        for trial in trials
        if trial.found.duration_s is not None
    ]
    held = sum(low <= duration_s <= high for (low, high), duration_s in bounded)
    return Quality(
        n=len(bounded),
        coverage=held / len(bounded) if bounded else None,
        median_error=statistics.median(errors) if errors else None,
        median_width=statistics.median((high - low) / d for (low, high), d in bounded) if bounded else None,
    )
