"""Figures of machines, projects and patterns, from elements that can be added.

Source: ISO 22400-2, key performance indicators for manufacturing operations management: availability, effectiveness,
quality ratio, OEE index, scrap ratio, rework ratio, first pass yield, MTBF, MTTR. Little, "A Proof for the Queuing
Formula L = λW", *Operations Research* 9 (1961).

Rule: ratios are taken of sums. The figure of a whole is that of the added elements of its parts, and no mean of theirs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

from rmos.analytics.describe import mean
from rmos.analytics.facts import Presence, StopTally
from rmos.analytics.tallies import Sums

MACHINE_FAILURE = "MACHINE_FAILURE"


def ratio(part: float | None, whole: float | None) -> float | None:
    """A share of 1; None when there is no whole, or one of them is unknown."""
    return None if part is None or not whole else part / whole


@dataclass(frozen=True, slots=True)
class Elements:
    """What figures are made of, in the words of ISO 22400.

    Attributes:
        pbt_s: Planned busy time; 0 where none is planned.
        apt_s: Actual production time: durations of the ended jobs that tell one.
        untimed_jobs: Ended jobs that do not: their time is unknown, and in none of the figures.
        planned_s: Planned time per piece times pieces (PRI · PQ), of `planned_jobs`, which took `planned_run_s`.
        good, scrap: Pieces (GQ, SQ); together they are the produced quantity (PQ).
        rework: Pieces that came out well after rework (RQ); `first_pass` those that did without (GP).
        failures: Stops and failed jobs by failure of the machine.
        repairs: Stops by failure of the machine that came to an end; they took `repair_s`.
    """

    pbt_s: float
    apt_s: float
    ended_jobs: int
    untimed_jobs: int
    planned_jobs: int
    planned_s: float
    planned_run_s: float
    good: float
    scrap: float
    rework: float
    first_pass: float
    failures: int
    repairs: int
    repair_s: float

    @classmethod
    def of(cls, ended: Sums, stops: Iterable[StopTally], *, pbt_s: float) -> Elements:
        """The elements of jobs that completed or failed, and of stops in the same window."""
        broken = [stop for stop in stops if stop.reason == MACHINE_FAILURE]
        return cls(
            pbt_s=pbt_s,
            apt_s=ended.duration_s,
            ended_jobs=ended.jobs,
            untimed_jobs=ended.jobs - ended.timed,
            planned_jobs=ended.planned,
            planned_s=ended.planned_s,
            planned_run_s=ended.planned_run_s,
            good=ended.good,
            scrap=ended.scrap,
            rework=ended.rework,
            first_pass=ended.first_pass,
            failures=sum(stop.begun for stop in broken),
            repairs=sum(stop.ended for stop in broken),
            repair_s=math.fsum(stop.seconds for stop in broken),
        )

    @classmethod
    def added(cls, parts: Iterable[Elements]) -> Elements:
        """The elements of the whole."""
        columns = {field.name: [getattr(part, field.name) for part in parts] for field in fields(cls)}
        return cls(**{name: sum(values) for name, values in columns.items()})

    @property
    def produced(self) -> float:
        """PQ, pieces."""
        return self.good + self.scrap

    @property
    def availability(self) -> float | None:
        """APT / PBT; None where no time is planned."""
        return ratio(self.apt_s, self.pbt_s)

    @property
    def effectiveness(self) -> float | None:
        """PRI · PQ / APT, of the jobs that tell their planned time. Above 1 they were faster than planned."""
        return ratio(self.planned_s, self.planned_run_s)

    @property
    def quality(self) -> float | None:
        """GQ / PQ."""
        return ratio(self.good, self.produced)

    @property
    def oee(self) -> float | None:
        """Availability · effectiveness · quality; None when one of them is."""
        if self.availability is None or self.effectiveness is None or self.quality is None:
            return None
        return self.availability * self.effectiveness * self.quality

    @property
    def scrap_ratio(self) -> float | None:
        """SQ / PQ."""
        return ratio(self.scrap, self.produced)

    @property
    def rework_ratio(self) -> float | None:
        """RQ / PQ."""
        return ratio(self.rework, self.produced)

    @property
    def first_pass_yield(self) -> float | None:
        """GP / PQ: pieces that were good without rework."""
        return ratio(self.first_pass, self.produced)

    @property
    def mtbf_s(self) -> float | None:
        """Actual production time / failures of the machine; None without a failure."""
        return mean(self.apt_s, self.failures)

    @property
    def mttr_s(self) -> float | None:
        """Mean length of the ended stops by failure of the machine."""
        return mean(self.repair_s, self.repairs)


@dataclass(frozen=True, slots=True)
class Flow:
    """How jobs pass through the shop in a window.

    Attributes:
        exits: Jobs that ended in the window, in whatever way, and tell start and end.
        exit_rate_s: Exits per second (TH).
        cycle_time_s: Mean time of the exits from start to end (CT).
        average_wip: Jobs in progress, averaged over every moment of the window (WIP).
        expected_wip: TH · CT.
        residual: WIP − TH · CT. Little's law holds in the long run: a large residual says that the window ends with
            more or less in progress than it began with, or that starts or ends are missing.
    """

    exits: int
    exit_rate_s: float
    cycle_time_s: float | None
    average_wip: float
    expected_wip: float | None
    residual: float | None


def flow(exits: int, lead_s: float, presence: Presence, *, window_s: float) -> Flow:
    """The flow of a window.

    Args:
        lead_s: Seconds from start to end of the exits, added up.
        presence: Who was in progress at the edges of the window.
    """
    rate, cycle_s = exits / window_s, mean(lead_s, exits)
    wip = (lead_s - presence.earlier_s + presence.open_s) / window_s
    expected = None if cycle_s is None else rate * cycle_s
    return Flow(exits, rate, cycle_s, wip, expected, None if expected is None else wip - expected)


@dataclass(frozen=True, slots=True)
class Cause:
    """One bar of a Pareto chart: its amount, its share and that of all bars up to it, in percent."""

    name: str | None
    amount: float
    percentage: float
    cumulative: float


def pareto(amounts: Iterable[tuple[str | None, float]]) -> list[Cause]:
    """Causes with an amount, the largest first. A cause that nobody named is a bar of its own."""
    bars = sorted(((name, amount) for name, amount in amounts if amount > 0), key=lambda bar: (-bar[1], bar[0] or ""))
    whole, reached, causes = math.fsum(amount for _, amount in bars), 0.0, []
    for name, amount in bars:
        reached += amount
        causes.append(Cause(name, amount, amount / whole * 100, min(100.0, reached / whole * 100)))
    return causes
