"""What figures are made of: the few numbers of a job, a pattern or a strip family that are counted.

None means that nobody has said; it is never counted as zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rmos.clock import Timestamp


class Dimension(StrEnum):
    """What jobs are added up by."""

    JOB_TYPE = "job_type"
    PATTERN = "pattern_id"
    FAMILY = "strip_family_id"
    MACHINE = "machine_id"
    PROJECT = "project_id"
    REASON = "reason"
    SHIFT = "shift"
    """The shift in which the job ended, or the stop began."""
    RISK = "risk"
    """Job type, strip family and tool band together, joined by `RISK_SEPARATOR`."""


RISK_SEPARATOR: Final = "\x1f"
"""Texts of a job have no control characters."""

TOOL_BANDS: Final = (("under 1 mm", 1.0), ("1 to 2 mm", 2.0), ("2 to 4 mm", 4.0), ("4 mm and over", 1e9))
"""Bands of tool diameters: name, and the diameter in mm that is no longer in it.

Cutters of an inlay are fractions of a millimetre to a millimetre, those of contours two to three, saws more: in each
band the forces and the ways to fail are alike.
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Jobs of one status and one value of a dimension, added up.

    Attributes:
        value: None for the jobs that have none, e.g. no machine.
        jobs: How many.
        timed: How many of them tell their duration; `duration_s` is the sum of those.
        measured: How many tell their waste; `waste_percentage` is the sum of those.
        reported: How many tell the strip they used; `used_mm` is the sum of those.
        counted: How many tell a good or scrap quantity.
        good, scrap, rework: Sums of pieces.
        first_pass: Pieces that were good without rework, of jobs that tell a good quantity: `max(0, good - rework)`.
        spanned: How many tell start and end; `lead_s` is the sum of the seconds between.
        planned: How many tell the planned time of a piece, how many they made and how long they took. `planned_s` is
            the sum of planned time times pieces, `planned_run_s` that of the durations.
    """

    value: str | None
    status: str
    jobs: int
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


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many jobs of one UTC day `YYYY-MM-DD` have one status."""

    day: str
    status: str
    jobs: int


@dataclass(frozen=True, slots=True)
class StopTally:
    """Stops of jobs, added up, by a value of a dimension and their reason.

    A stop is the time that a job spends held, suspended or interrupted for one reason; a failure for a reason is one
    without a length.

    Attributes:
        value: None for the jobs that have none.
        begun: How many began.
        ended: How many of those that have a length came to their end; `seconds` is the sum of those.
        open: How many go on.
    """

    value: str | None
    reason: str | None
    begun: int
    ended: int
    seconds: float
    open: int


@dataclass(frozen=True, slots=True)
class Presence:
    """Time that jobs spent in progress, around the beginning of a window and at its end.

    Attributes:
        open_jobs: Begun and not ended at the end of the window.
        open_s: Seconds of these within the window.
        earlier_s: Seconds before the window of jobs that ended within it.
    """

    open_jobs: int
    open_s: float
    earlier_s: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, middle and largest of the durations of the completed jobs of one type, in seconds."""

    job_type: str
    timed: int
    min_s: float
    median_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class MachineFact:
    """One machine, as its jobs tell of it.

    Attributes:
        running, stopped: Jobs on it that run, and that are held, suspended or interrupted.
        seen_at: When a job of it was last changed.
    """

    id: str
    running: int
    stopped: int
    seen_at: Timestamp


@dataclass(frozen=True, slots=True)
class RingFact:
    """One ring of a pattern."""

    radius_mm: float | None
    segments: int | None


@dataclass(frozen=True, slots=True)
class PatternFact:
    """One pattern; `family_id` is the strip family it is made of."""

    id: str
    name: str
    ring_count: int
    family_id: str | None
    rings: tuple[RingFact, ...]


@dataclass(frozen=True, slots=True)
class FamilyFact:
    """One strip family.

    Attributes:
        material: `material_type` as it was written; materials that differ in case only are one.
        strips: Number of strips in stock, `stock_mm` their length together.
    """

    id: str
    name: str
    material: str
    lane: str | None
    supplier: str | None
    strip_width_mm: float
    strip_thickness_mm: float
    strips: int
    stock_mm: float
    min_stock_mm: float | None


@dataclass(frozen=True, slots=True)
class JobFact:
    """One job.

    Attributes:
        moment: Its end, or else its start, or else when it was logged.
        waste_percentage: `results.waste_percentage`, 0 to 100.
        kerf_mm: The kerf that was planned; `actual_kerf_mm` the one that was cut.
    """

    id: str
    job_type: str
    status: str
    pattern_id: str | None
    strip_family_id: str | None
    machine_id: str | None
    project_id: str | None
    moment: Timestamp
    duration_seconds: float | None
    waste_percentage: float | None
    strip_used_mm: float | None
    good_qty: float | None
    scrap_qty: float | None
    rework_qty: float | None
    kerf_mm: float | None
    actual_kerf_mm: float | None
    tool_diameter_mm: float | None
