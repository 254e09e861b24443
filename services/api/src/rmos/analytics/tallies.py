"""Tallies put together. A larger group is the sum of its parts, never a mean of their ratios."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from rmos.analytics.describe import mean, success_rate
from rmos.analytics.facts import DayCount, Tally
from rmos.domain.jobs import COMPLETED, FAILED

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Sums:
    """Jobs of any status, added up; the fields are those of `Tally`, and how many completed and failed."""

    jobs: int
    completed: int
    failed: int
    timed: int
    duration_s: float
    measured: int
    waste_percentage: float
    reported: int
    used_mm: float
    counted: int
    good: float
    scrap: float
    rework: float
    first_pass: float
    spanned: int
    lead_s: float
    planned: int
    planned_s: float
    planned_run_s: float

    @classmethod
    def of(cls, tallies: Sequence[Tally]) -> Sums:
        """The sum of the tallies; all zero of none."""
        return cls(
            jobs=sum(tally.jobs for tally in tallies),
            completed=sum(tally.jobs for tally in tallies if tally.status == COMPLETED),
            failed=sum(tally.jobs for tally in tallies if tally.status == FAILED),
            timed=sum(tally.timed for tally in tallies),
            duration_s=math.fsum(tally.duration_s for tally in tallies),
            measured=sum(tally.measured for tally in tallies),
            waste_percentage=math.fsum(tally.waste_percentage for tally in tallies),
            reported=sum(tally.reported for tally in tallies),
            used_mm=math.fsum(tally.used_mm for tally in tallies),
            counted=sum(tally.counted for tally in tallies),
            good=math.fsum(tally.good for tally in tallies),
            scrap=math.fsum(tally.scrap for tally in tallies),
            rework=math.fsum(tally.rework for tally in tallies),
            first_pass=math.fsum(tally.first_pass for tally in tallies),
            spanned=sum(tally.spanned for tally in tallies),
            lead_s=math.fsum(tally.lead_s for tally in tallies),
            planned=sum(tally.planned for tally in tallies),
            planned_s=math.fsum(tally.planned_s for tally in tallies),
            planned_run_s=math.fsum(tally.planned_run_s for tally in tallies),
        )

    @property
    def success_rate(self) -> float | None:
        """Percent of the ended jobs that completed; None when none ended."""
        return success_rate(self.completed, self.failed)

    @property
    def failure_rate(self) -> float | None:
        """Percent of the ended jobs that failed; None when none ended."""
        return success_rate(self.failed, self.completed)

    @property
    def avg_duration_s(self) -> float | None:
        """Mean of the durations that are known, in seconds."""
        return mean(self.duration_s, self.timed)

    @property
    def avg_waste_percentage(self) -> float | None:
        """Mean of the wastes that are known; a reported zero counts."""
        return mean(self.waste_percentage, self.measured)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many jobs completed and failed."""

    completed: int
    failed: int

    @classmethod
    def of(cls, counts: Iterable[DayCount]) -> Outcome:
        """All of them together; those of another status have no outcome."""
        jobs = {COMPLETED: 0, FAILED: 0}
        for count in counts:
            if count.status in jobs:
                jobs[count.status] += count.jobs
        return cls(jobs[COMPLETED], jobs[FAILED])

    @property
    def ended(self) -> int:
        """Either way."""
        return self.completed + self.failed

    @property
    def success_rate(self) -> float | None:
        """Percent of the ended jobs that completed; None when none ended."""
        return success_rate(self.completed, self.failed)


NO_OUTCOME: Final = Outcome(0, 0)


def outcomes_by_day(counts: Iterable[DayCount]) -> dict[str, Outcome]:
    """Of each day that has jobs of any status."""
    by_day: dict[str, list[DayCount]] = {}
    for count in counts:
        by_day.setdefault(count.day, []).append(count)
    return {day: Outcome.of(found) for day, found in by_day.items()}


def grouped(tallies: Iterable[Tally], key: Callable[[Tally], K]) -> dict[K, list[Tally]]:
    """The tallies by a key, in the order in which the keys first appear."""
    groups: dict[K, list[Tally]] = {}
    for tally in tallies:
        groups.setdefault(key(tally), []).append(tally)
    return groups


def sums_by(tallies: Iterable[Tally], key: Callable[[Tally], K]) -> dict[K, Sums]:
    """The sums of each group."""
    return {name: Sums.of(group) for name, group in grouped(tallies, key).items()}


def of_status(tallies: Iterable[Tally], status: str) -> list[Tally]:
    """The tallies of one status."""
    return [tally for tally in tallies if tally.status == status]
