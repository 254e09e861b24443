"""Saw blades: what they cut when they are new, and how the cut widens as they wear. Lengths in mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rmos.cli.demo.catalogue import BLADES, BladeKind
from rmos.cli.demo.dice import Dice

WEAR_MM_PER_TILE: Final = 0.00002
"""A hundred tiles widen the cut by less than a measurement scatters: no single job shows it, a chart of twenty does."""
WORN_MM: Final = 0.03
"""What a worn blade cuts too wide, after about 15 rosettes: ten standard deviations of a measurement, hard to miss."""
MEASURED_WITHIN_MM: Final = 0.003
"""Standard deviation of a kerf measured by caliper."""


@dataclass(slots=True)
class Blade:
    """One blade, from the day it is clamped in until it is worn or breaks."""

    id: str
    kind: BladeKind
    wear_mm: float = 0.0

    @property
    def is_worn(self) -> bool:
        """Whether it has to be changed before the next job."""
        return self.wear_mm >= WORN_MM

    def cut(self, tiles: int) -> None:
        """Wear by so many cuts."""
        self.wear_mm += tiles * WEAR_MM_PER_TILE

    def measured_kerf_mm(self, dice: Dice) -> float:
        """The width of its cut now, as somebody measures it."""
        return round(self.kind.kerf_mm + self.wear_mm + dice.gauss(0, MEASURED_WITHIN_MM), 4)


def new_blade(dice: Dice) -> Blade:
    """A blade out of the box."""
    return Blade(f"blade-{dice.randint(1, 9999):04}", dice.choice(BLADES))
