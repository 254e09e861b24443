"""What can be correlated: numbers of a job, of its pattern and of its strip family, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, TypeAlias

from rmos.analytics.complexity import complexity_score, ring_density, total_segments
from rmos.analytics.facts import FamilyFact, JobFact, PatternFact
from rmos.domain.jobs import COMPLETED, FAILED


@dataclass(frozen=True, slots=True)
class Case:
    """One observation: a job with its pattern and family, or one of these alone.

    Attributes:
        efficiency_score: Of the family: 100 less the mean waste of its completed jobs.
    """

    job: JobFact | None = None
    pattern: PatternFact | None = None
    family: FamilyFact | None = None
    efficiency_score: float | None = None

    @property
    def id(self) -> str | None:
        """Of what is observed: the finest thing that there is."""
        subject = self.job or self.pattern or self.family
        return subject.id if subject else None


Measure: TypeAlias = Callable[[Case], "float | None"]


def _of_job(read: Callable[[JobFact], float | None]) -> Measure:
    return lambda case: None if case.job is None else read(case.job)


def _of_pattern(read: Callable[[PatternFact], float | None]) -> Measure:
    return lambda case: None if case.pattern is None else read(case.pattern)


def _of_family(read: Callable[[FamilyFact], float | None]) -> Measure:
    return lambda case: None if case.family is None else read(case.family)


def _success(job: JobFact) -> float | None:
    return {COMPLETED: 1.0, FAILED: 0.0}.get(job.status)


def _minutes(job: JobFact) -> float | None:
    return None if job.duration_seconds is None else job.duration_seconds / 60


def kerf_drift_mm(job: JobFact) -> float | None:
    """The kerf that was cut less the one that was planned."""
    if job.kerf_mm is None or job.actual_kerf_mm is None:
        return None
    return job.actual_kerf_mm - job.kerf_mm


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


_JOB_FIELDS: Final = (
    "duration_seconds",
    "waste_percentage",
    "strip_used_mm",
    "good_qty",
    "scrap_qty",
    "rework_qty",
    "kerf_mm",
    "actual_kerf_mm",
    "tool_diameter_mm",
)
_FAMILY_FIELDS: Final = ("strip_width_mm", "strip_thickness_mm", "stock_mm", "strips", "min_stock_mm")

MEASURES: Final[Mapping[str, Measure]] = {
    **{f"job.{name}": _of_job(attrgetter(name)) for name in _JOB_FIELDS},
    "job.duration_minutes": _of_job(_minutes),
    "job.success": _of_job(_success),
    "job.kerf_drift_mm": _of_job(kerf_drift_mm),
    "pattern.ring_count": _of_pattern(attrgetter("ring_count")),
    "pattern.complexity_score": _of_pattern(complexity_score),
    "pattern.segments": _of_pattern(lambda pattern: total_segments(pattern.rings)),
    "pattern.radius_mm": _of_pattern(lambda pattern: _mean(ring.radius_mm for ring in pattern.rings)),
    "pattern.ring_density": _of_pattern(lambda pattern: _mean(map(ring_density, pattern.rings))),
    **{f"material.{name}": _of_family(attrgetter(name)) for name in _FAMILY_FIELDS},
    "material.efficiency_score": lambda case: case.efficiency_score,
}
"""By name: `job.…`, `pattern.…`, `material.…`. What an observation does not tell is None."""


def unit_of(keys: Iterable[str]) -> str:
    """What one observation is: the finest thing that any key is about, `job`, `pattern` or `material`."""
    subjects = {key.partition(".")[0] for key in keys}
    return next(unit for unit in ("job", "pattern", "material") if unit in subjects)


def column(cases: Iterable[Case], key: str) -> list[float | None]:
    """What each observation tells of a measure."""
    return list(map(MEASURES[key], cases))


def complete_pairs(x: Iterable[float | None], y: Iterable[float | None]) -> tuple[list[float], list[float]]:
    """The values of the observations that tell both."""
    found = [(a, b) for a, b in zip(x, y, strict=True) if a is not None and b is not None]
    return [a for a, _ in found], [b for _, b in found]
