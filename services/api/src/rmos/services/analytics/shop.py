"""Questions about the shop as a whole: its machines, projects and patterns, the flow of jobs, losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Final

from rmos.analytics.calendar import last_days
from rmos.analytics.facts import Dimension
from rmos.analytics.shifts import Shifts
from rmos.analytics.shop import Elements, flow, pareto
from rmos.analytics.tallies import Sums, grouped, of_status, sums_by
from rmos.clock import Timestamp, seconds_between
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.jobs import COMPLETED, ENDED, FAILED
from rmos.services.analytics.patterns import MAX_NAMED
from rmos.stores.figures import Figures

BY: Final[Mapping[str, Dimension]] = {
    "machine": Dimension.MACHINE,
    "project": Dimension.PROJECT,
    "pattern": Dimension.PATTERN,
    "job_type": Dimension.JOB_TYPE,
    "shift": Dimension.SHIFT,
}
"""What figures may be asked by."""
WAITING: Final = frozenset({"GLUE_DRY"})
"""Reasons of stops that belong to the work: they are shown apart from the losses."""
_RATIOS: Final = (
    "produced",
    "availability",
    "effectiveness",
    "quality",
    "oee",
    "scrap_ratio",
    "rework_ratio",
    "first_pass_yield",
    "mtbf_s",
    "mttr_s",
)


def shop(figures: Figures, *, by: str, days: int, shifts: Shifts, now: Timestamp) -> JsonObject:
    """OEE and its elements, quality and reliability, of each group and of all together.

    Args:
        shifts: When each machine is planned to work. A shift is planned for every machine; a project has no clock.
    """
    calendar = last_days(now, days)
    window = calendar[0], calendar[-1]
    tallies = grouped(figures.window_totals(BY[by], *window), lambda tally: tally.value)
    stops = figures.stops(BY[by], *window)
    names = {*tallies, *(stop.value for stop in stops)}
    planned_s = _planned_s(figures, by, calendar, shifts, names)
    groups = {
        name: Elements.of(
            Sums.of([tally for tally in tallies.get(name, ()) if tally.status in (COMPLETED, FAILED)]),
            [stop for stop in stops if stop.value == name],
            pbt_s=planned_s.get(name, 0.0),
        )
        for name in {*names, *planned_s}
    }
    order = sorted(groups.items(), key=lambda entry: (-entry[1].ended_jobs, entry[0] or ""))
    return {
        "by": by,
        **_window(calendar),
        "working_days": sum(any(shifts.planned_s([day]).values()) for day in calendar),
        "groups": [{by: name, **_figures(elements)} for name, elements in order[:MAX_NAMED]],
        "count": len(groups),
        "total": _figures(Elements.added(groups.values())),
    }


def _planned_s(
    figures: Figures, by: str, calendar: list[str], shifts: Shifts, names: Iterable[str | None]
) -> dict[str | None, float]:
    """Planned busy time of each group, in seconds."""
    planned = shifts.planned_s(calendar)
    if by == "machine":
        return {name: sum(planned.values()) for name in names if name is not None}
    if by != "shift":
        return {}
    window = calendar[0], calendar[-1]
    machines = {
        *(tally.value for tally in figures.window_totals(Dimension.MACHINE, *window)),
        *(stop.value for stop in figures.stops(Dimension.MACHINE, *window)),
    } - {None}
    return {name: seconds * len(machines) for name, seconds in planned.items()}


def _figures(elements: Elements) -> JsonObject:
    return {**{name: getattr(elements, name) for name in _RATIOS}, "elements": asdict(elements)}


def shop_flow(figures: Figures, *, days: int, now: Timestamp) -> JsonObject:
    """Work in progress, throughput and cycle time, and how well they fit together."""
    calendar = last_days(now, days)
    since = f"{calendar[0]}T00:00:00.000Z"
    tallies = figures.window_totals(Dimension.JOB_TYPE, calendar[0], calendar[-1])
    ended = Sums.of([tally for tally in tallies if tally.status in ENDED])
    presence = figures.presence(since, now)
    window_s = seconds_between(since, now)
    found = flow(ended.spanned, ended.lead_s, presence, window_s=max(window_s, 1.0))
    by_type = sums_by(of_status(tallies, COMPLETED), lambda tally: tally.value)
    return {
        **_window(calendar),
        "wip": presence.open_jobs,
        **asdict(found),
        "untimed_exits": ended.jobs - ended.spanned,
        "completed_jobs": ended.completed,
        "completed_per_day": ended.completed / (max(window_s, 1.0) / 86_400),
        "job_types": [
            {
                "job_type": job_type,
                "completed": sums.jobs,
                "cycle_time_s": sums.lead_s / sums.spanned if sums.spanned else None,
                "n": sums.spanned,
            }
            for job_type, sums in sorted(by_type.items(), key=lambda entry: (-entry[1].jobs, entry[0] or ""))
        ],
    }


def losses(figures: Figures, *, by: str, days: int, now: Timestamp) -> JsonObject:
    """Scrap and downtime, the largest causes first."""
    calendar = last_days(now, days)
    window = calendar[0], calendar[-1]
    scrap = sums_by(figures.window_totals(BY[by], *window), lambda tally: tally.value)
    scrap_reasons = sums_by(figures.window_totals(Dimension.REASON, *window), lambda tally: tally.value)
    stops = figures.stops(BY[by], *window)
    lost = [stop for stop in stops if stop.reason not in WAITING]
    reasons = {reason: [stop for stop in lost if stop.reason == reason] for reason in {s.reason for s in lost}}
    places = {value: [stop for stop in lost if stop.value == value] for value in {s.value for s in lost}}
    return {
        "by": by,
        **_window(calendar),
        "scrap": _causes(by, {name: sums.scrap for name, sums in scrap.items()}),
        "scrap_by_reason": _causes("reason", {name: sums.scrap for name, sums in scrap_reasons.items()}),
        "downtime_s": _causes(by, {name: sum(stop.seconds for stop in found) for name, found in places.items()}),
        "downtime_by_reason_s": _causes(
            "reason", {name: sum(stop.seconds for stop in found) for name, found in reasons.items()}
        ),
        "stops": sum(stop.begun for stop in lost),
        "open_stops": sum(stop.open for stop in lost),
        "waiting_s": sum(stop.seconds for stop in stops if stop.reason in WAITING),
    }


def _causes(name: str, amounts: Mapping[str | None, float]) -> list[JsonValue]:
    return [
        {name: cause.name, "amount": cause.amount, "percentage": cause.percentage, "cumulative": cause.cumulative}
        for cause in pareto(amounts.items())[:MAX_NAMED]
    ]


def _window(calendar: list[str]) -> JsonObject:
    return {"days": len(calendar), "from": calendar[0], "to": calendar[-1]}
