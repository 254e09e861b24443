"""How often something is heard, and when its silence is longer than usual.

Rule: the usual is the median of the gaps between the last times it was heard. A silence is a fault from `FACTOR` such
gaps on: with gaps that scatter like those of a Poisson process, e^(-4 · ln 2) = 1 in 16 would be that long by chance,
and those of machines and operators scatter less; so `least_s`, a silence that nobody minds, comes on top.
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from rmos.clock import Timestamp, seconds_between

FACTOR: Final = 4.0
FEW_GAPS: Final = 5
"""Fewer gaps have no usual length."""
KEPT_GAPS: Final = 50
PAUSE_S: Final = 4 * 3600.0
"""A gap of this length is a night or a weekend, and no part of the usual."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence that is too long: seconds, the usual gap, and the number of gaps that it is known from."""

    silent_s: float
    expected_s: float
    n: int


@dataclass(slots=True)
class Cadence:
    """When something was last heard, and the gaps before."""

    heard_at: Timestamp
    gaps_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_GAPS))

    def note(self, time: Timestamp) -> None:
        """It was heard. A time before the last one, by a clock that was put back, only moves the last one."""
        gap_s = seconds_between(self.heard_at, time)
        if 0 < gap_s < PAUSE_S:
            self.gaps_s.append(gap_s)
        self.heard_at = time

    def silence(self, now: Timestamp, *, least_s: float, since: Timestamp | None = None) -> Silence | None:
        """The silence until now, when it is too long; None while it is not, or the usual is unknown.

        Args:
            least_s: A silence in seconds that nobody minds.
            since: Silence before it is not counted, e.g. before the shift began.
        """
        if len(self.gaps_s) < FEW_GAPS:
            return None
        usual_s = statistics.median(self.gaps_s)
        silent_s = seconds_between(max(self.heard_at, since or self.heard_at), now)
        if silent_s < max(FACTOR * usual_s, least_s):
            return None
        return Silence(silent_s, usual_s, len(self.gaps_s))
