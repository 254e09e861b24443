"""What there is in the demo's shop: wood, machines, projects, the way of a rosette, and its mishaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MINUTE_S: Final = 60.0
OPERATOR: Final = "operator-1"
PROJECTS: Final = ("classical-23", "concert-24", "parlor-25", "flamenco-26")
SPARE_STRIP_MM: Final = 600.0
"""Length of the strips that the supplier delivers."""


@dataclass(frozen=True, slots=True)
class Family:
    """A strip family the shop keeps. Lengths in mm; `strips` is how many the shelf holds at first."""

    name: str
    material_type: str
    width_mm: float
    thickness_mm: float
    lane: str
    strips: int
    min_stock_mm: float


FAMILIES: Final = (
    Family("Maple 0.6", "maple", 6.0, 0.6, "safe", 16, 3600.0),
    Family("Rosewood 0.6", "rosewood", 6.0, 0.6, "tuned_v2", 14, 3600.0),
    Family("Ebony 0.5", "ebony", 5.0, 0.5, "tuned_v1", 12, 3000.0),
    Family("Walnut 0.8", "walnut", 6.0, 0.8, "safe", 12, 3000.0),
)


@dataclass(frozen=True, slots=True)
class BladeKind:
    """A saw blade that can be bought; `kerf_mm` is what it cuts when it is new."""

    diameter_mm: float
    kerf_mm: float


BLADES: Final = (BladeKind(50.0, 0.25), BladeKind(63.0, 0.3))
CONTOUR_TOOLS_MM: Final = (0.8, 1.0, 1.5)
"""Diameters of the cutters for contours."""

CLAMPS_OFF_MINUTES: Final = (1.0, 3.0)
"""Shortest and longest time to take the clamps off when the glue is dry."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One station on the way of a rosette.

    Attributes:
        job_type: As the job log names it.
        machines: Any of these may do it.
        minutes: Shortest and longest time of work.
        dry_minutes: How long the glue has to dry afterwards; None when nothing is glued.
        uses_strip: Whether it takes wood from the shelf.
    """

    job_type: str
    machines: tuple[str, ...]
    minutes: tuple[float, float]
    dry_minutes: tuple[float, float] | None = None
    uses_strip: bool = False

    @property
    def planned_minutes(self) -> float:
        """What the planner reckons with, from start to end: the middle of each part, and no mishap."""
        parts = (self.minutes, self.dry_minutes, CLAMPS_OFF_MINUTES) if self.dry_minutes else (self.minutes,)
        return sum((shortest + longest) / 2 for shortest, longest in parts)


ROUTE: Final = (
    Operation("slice", ("cnc1", "cnc2"), (12, 22), uses_strip=True),
    Operation("glue_up", ("bench1",), (6, 12), dry_minutes=(35, 60)),
    Operation("contour", ("cnc1", "cnc2"), (8, 14)),
    Operation("assembly", ("bench1",), (6, 12)),
)
MACHINES: Final = ("cnc1", "cnc2", "bench1")
SAWS: Final = ("cnc1", "cnc2")
"""Machines with a saw blade."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something that goes wrong while a job runs.

    Attributes:
        share: How often, as a share of the jobs it can happen to.
        minutes: How long the job is held; None when it fails for good.
        job_types: What it can happen to; empty for everything.
    """

    reason: str
    note: str
    share: float
    minutes: tuple[float, float] | None = None
    job_types: tuple[str, ...] = ()


BLADE_BREAKS: Final = Mishap("MACHINE_FAILURE", "saw blade broke in the cut", 0.015, job_types=("slice",))
MISHAPS: Final = (
    BLADE_BREAKS,
    Mishap("MACHINE_FAILURE", "cutter broke in the groove", 0.04, job_types=("contour",)),
    Mishap("QUALITY_HOLD", "tiles chipped along the grain", 0.03, job_types=("slice",)),
    Mishap("QUALITY_HOLD", "gap in the ring, tiles came out short", 0.03, job_types=("glue_up", "assembly")),
    Mishap("OTHER", "dropped", 0.01),
    Mishap("OPERATIONAL", "changing the cutter", 0.10, minutes=(3, 6), job_types=("contour",)),
    Mishap("QUALITY_HOLD", "measuring the first tiles", 0.08, minutes=(2, 5), job_types=("slice",)),
    Mishap("MACHINE_FAILURE", "dust extraction clogged", 0.08, minutes=(4, 9), job_types=("slice", "contour")),
    Mishap("ENGINEERING_CHANGE", "asking about the width of the purfling", 0.03, minutes=(3, 8)),
)

DESIGN_NOTES: Final = (
    "kerf set to what the new blade cuts",
    "outer purfling a little stronger",
    "twist checked against the sample",
    "tile length rounded to the jig",
)
