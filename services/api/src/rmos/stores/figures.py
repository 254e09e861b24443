"""What may be asked of the figures of a shop: jobs added up, and the few numbers of its patterns and materials.

Guarantees of every implementation:
    1. All that one work asks is of one moment, which is not before the last write that returned earlier.
    2. Sums over jobs cost as much as there are answers, however many jobs there are.
    3. Keeping the figures makes no write slower: they follow the log when somebody asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rmos.analytics.facts import (
    Dimension,
    FamilyFact,
    JobFact,
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
    """

    where: Sequence[tuple[str, str]] = ()
    statuses: Sequence[str] = ()
    known: Sequence[str] = ()
    limit: int = 1000


class Figures(Protocol):
    """The figures at one moment. Synchronous: for the time of one work, on its thread."""

    def totals(self, dimension: Dimension, *, value: str | None = None) -> list[Tally]:
        """Jobs of all days, added up by a dimension and their status; of one value alone, if it is given."""
        ...

    def daily_totals(self, dimension: Dimension, first_day: str, last_day: str) -> list[Tally]:
        """Jobs of each day from the first to the last one, added up by a dimension (not `RISK`) and their status."""
        ...

    def window_totals(self, dimension: Dimension, first_day: str, last_day: str) -> list[Tally]:
        """Jobs of all days from the first to the last one together, as `daily_totals`."""
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

    def patterns(self) -> list[PatternFact]:
        """Every pattern, by name and id."""
        ...

    def families(self) -> list[FamilyFact]:
        """Every strip family, by name and id."""
        ...
