"""What the demo's shop works on: orders, the jobs they pass through, and what has come of them."""

from __future__ import annotations

from dataclasses import dataclass

from rmos.cli.demo.api import Document
from rmos.cli.demo.blades import Blade
from rmos.cli.demo.catalogue import ROUTE, Family, Operation


@dataclass(slots=True)
class Order:
    """One rosette for one guitar. `need_mm` is the strip that slicing it takes."""

    number: int
    project: str
    design: str
    pattern_id: str
    family: Family
    family_id: str
    need_mm: float
    tiles: int
    retries: int = 0


@dataclass(slots=True)
class Job:
    """One open job log of the demo.

    Attributes:
        parameters: What was planned when it was released.
        blade: What it is sliced with; None before that, and for everything else.
    """

    id: str
    order: Order
    stage: int
    parameters: Document
    blade: Blade | None = None

    @property
    def operation(self) -> Operation:
        """The station it is at."""
        return ROUTE[self.stage]


@dataclass(slots=True)
class Tally:
    """What the shop has done, for the summary."""

    orders: int = 0
    rosettes: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    deliveries: int = 0
    good_tiles: int = 0
    scrap_tiles: int = 0
    strip_used_mm: float = 0.0
