"""How much work a pattern is: a score of its rings and segments.

    complexity = 10 · ring_count + 5 · Σ segments / 100

Source: the published interface of the pattern analytics (N9.0). A convention of the trade, not a measurement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rmos.analytics.facts import PatternFact, RingFact
from rmos.domain.geometry import circumference_mm


@dataclass(frozen=True, slots=True)
class Category:
    """Scores over `above` and up to `up_to`; None: without an end."""

    name: str
    above: float
    up_to: float | None


CATEGORIES: Final = (
    Category("simple", 0, 30),
    Category("medium", 30, 60),
    Category("complex", 60, 100),
    Category("expert", 100, None),
)


def total_segments(rings: Iterable[RingFact]) -> int:
    """Segments of all rings that tell theirs."""
    return sum(ring.segments or 0 for ring in rings)


def complexity_score(pattern: PatternFact) -> float:
    """The score of a pattern; rings whose segments nobody knows count as rings alone."""
    return 10 * pattern.ring_count + 5 * total_segments(pattern.rings) / 100


def category_of(score: float) -> Category:
    """The category that the score is in."""
    return next(c for c in CATEGORIES if c.up_to is None or score <= c.up_to)


def ring_density(ring: RingFact) -> float | None:
    """Segments per mm along the centre line; None when a number is missing."""
    if ring.radius_mm is None or ring.segments is None:
        return None
    return ring.segments / circumference_mm(ring.radius_mm)
