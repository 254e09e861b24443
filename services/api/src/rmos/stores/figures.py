"""What may be asked of the figures of a shop: jobs added up, and the few numbers of its patterns and materials.

Guarantees of every implementation:
    1. All that one work asks is of one moment, which is not before the last write that returned earlier.
    2. Sums over jobs cost as much as there are answers, however many jobs there are, unless a method says otherwise.
    3. Keeping the figures makes no write slower: they follow the log when somebody asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rmos.analytics.calendar import Window
from rmos.analytics.facts import (
    DayCount,
    Dimension,
    FamilyFact,
    JobFact,
    MachineFact,
    PatternFact,
    Presence,
    Spread,
    StopTally,
    Tally,
)
from rmos.clock import Timestamp


@dataclass(frozen=True, slots=True)
class JobQuery:
    """The newest jobs with certain values, by their moments.

    Attributes:
        where: Columns of `stores.figures_schema.job_facts` and their values.
        statuses: Any of these; empty for all.
        known: Columns that the jobs must tell.
        limit: At most so many.
        window: Only those whose moment is in these days; None for all.
    """

    where: Sequence[tuple[str, str]] = ()
    statuses: Sequence[str] = ()
    known: Sequence[str] = ()
    limit: int = 1000
    window: Window | None = None


class Figures(Protocol):
    """The figures at one moment. Synchronous: for the time of one work, on its thread."""

    def totals(self, dimension: Dimension, *, value: str | None = None) -> list[Tally]:
        """Jobs of all days, added up by a dimension and their status; of one value alone, if it is given."""
        ...

    def daily_counts(self, conditions: Mapping[Dimension, str], first_day: str, last_day: str) -> list[DayCount]:
        """Jobs of each day that have all these values (not of `RISK`), by status.

        With several values, unlike the others, this costs as much as there are jobs on these days with the rarest one.
        """
        ...

    def window_totals(self, dimension: Dimension, first_day: str, last_day: str) -> list[Tally]:
        """Jobs of all days from the first to the last one, added up by a dimension (not `RISK`) and their status."""
        ...

    def stops(self, dimension: Dimension, first_day: str, last_day: str) -> list[StopTally]:
        """Stops that began on these days, by a dimension of their jobs (not `RISK` or `REASON`) and their reason."""
        ...

    def presence(self, since: Timestamp, now: Timestamp) -> Presence:
        """Time in progress that the sums of whole jobs between `since` and `now` lack or have too much."""
        ...

    def spreads(self) -> list[Spread]:
        """Of each job type that has completed jobs with a duration."""
        ...

    def jobs(self, query: JobQuery) -> list[JobFact]:
        """The newest jobs that match, oldest first."""
        ...

    def durations(self, job_type: str, pattern_id: str | None, *, limit: int) -> list[float]:
        """Durations in seconds of the newest completed jobs of a type, of one pattern if it is given, ascending."""
        ...

    def machines(self) -> list[MachineFact]:
        """Every machine that a job names, by id."""
        ...

    def patterns(self) -> list[PatternFact]:
        """Every pattern, by name and id."""
        ...

    def pattern_count(self) -> int:
        """How many patterns there are."""
        ...

    def families(self) -> list[FamilyFact]:
        """Every strip family, by name and id."""
        ...
