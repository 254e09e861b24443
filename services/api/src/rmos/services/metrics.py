"""The figures of `metrics:snapshot`: the shop at this moment, and its last days.

Rule 1: everything is read off the figures that follow the log, or counts what runs now: the cost depends on what is
asked, never on how much was ever done.
Rule 2: each figure says of which window it is and of how many.
Rule 3: while the figures are counted anew (a large shop after an upgrade) what can be counted without them is, the
rest is None, and `counting` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from rmos.analytics.calendar import last_days
from rmos.analytics.describe import share
from rmos.analytics.facts import Dimension, FamilyFact, MachineFact
from rmos.analytics.tallies import Sums, of_status
from rmos.clock import Timestamp, add_seconds, seconds_between
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.events import Category
from rmos.domain.filters import parse_filter
from rmos.domain.jobs import IN_PROGRESS, STATUSES
from rmos.errors import UnavailableError
from rmos.eventlog.base import EventLog
from rmos.services.analytics.eta import estimate_running
from rmos.stores.base import Overview, Running, Stores
from rmos.stores.figures import Figures

WINDOW_DAYS: Final = 7
ANOMALY_HOURS: Final = 24
MAX_ANOMALIES: Final = 100
"""Newest events of the watch that are looked at; a count that reaches it means "so many or more"."""
MAX_NAMED: Final = 50
"""Machines and materials that are named; the counts beside them are of all."""
_METRICS: Final = parse_filter([Category.METRICS])
_ANOMALY_FIELDS: Final = ("job_id", "job_type", "machine_id", "measure", "value", "severity")
_RUNNING_FIELDS: Final = ("id", "job_type", "pattern_id", "machine_id", "project_id", "progress", "start_time")


async def metrics_snapshot(stores: Stores, now: Timestamp) -> JsonObject:
    """What the screens show of the shop at this moment."""
    running = await stores.running()
    try:
        known = await stores.figures(lambda figures: _known(figures, running, now))
    except UnavailableError:
        known = _counted(await stores.overview())
    return {
        "jobs": {
            "by_status": dict(known.by_status),
            "wip": sum(known.by_status[status] for status in IN_PROGRESS),
            "running": [_running(job, known.estimates, now) for job in running.jobs],
        },
        "entities": dict(known.entities),
        "throughput": known.throughput,
        "rates": known.rates,
        "stock": known.stock,
        "machines": known.machines,
        "anomalies": await _anomalies(stores.log, now),
        "counting": known.throughput is None,
        "offset": running.offset,
    }


async def _anomalies(event_log: EventLog, now: Timestamp) -> JsonObject:
    """What the watch found in the last day: how many, and the newest few by what they are about."""
    since = add_seconds(now, -ANOMALY_HOURS * 3600)
    newest = await event_log.last_matching(MAX_ANOMALIES, _METRICS)
    events = await event_log.read_matching(newest.after, _METRICS, limit=MAX_ANOMALIES)
    found = [event for event in reversed(events) if event.type == "metrics:anomaly" and event.timestamp >= since]
    told = [{field: orjson.loads(event.data).get(field) for field in _ANOMALY_FIELDS} for event in found[:5]]
    return {"hours": ANOMALY_HOURS, "count": len(found), "newest": [*told]}


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the shop besides what runs; None while it is being counted."""

    by_status: Mapping[str, int]
    entities: Mapping[str, int]
    estimates: Mapping[str, JsonObject]
    throughput: JsonObject | None = None
    rates: JsonObject | None = None
    stock: JsonObject | None = None
    machines: list[JsonValue] | None = None


def _counted(overview: Overview) -> _Known:
    return _Known(overview.jobs_by_status, overview.entities, {})


def _known(figures: Figures, running: Running, now: Timestamp) -> _Known:
    jobs = figures.totals(Dimension.JOB_TYPE)
    by_status = {status: sum(tally.jobs for tally in of_status(jobs, status)) for status in STATUSES}
    families = figures.families()
    calendar = last_days(now, WINDOW_DAYS)
    today, week = (
        Sums.of(figures.window_totals(Dimension.JOB_TYPE, first_day, calendar[-1]))
        for first_day in (calendar[-1], calendar[0])
    )
    return _Known(
        by_status,
        {"patterns": figures.pattern_count(), "joblogs": sum(by_status.values()), "strip_families": len(families)},
        estimate_running(figures, running.jobs, now),
        throughput={"today": _ended(today, calendar[-1], 1), "last_7_days": _ended(week, calendar[0], WINDOW_DAYS)},
        rates=_rates(week),
        stock=_stock(families),
        machines=[*map(_machine, figures.machines()[:MAX_NAMED])],
    )


def _ended(sums: Sums, since: str, days: int) -> JsonObject:
    return {"since": since, "days": days, "completed": sums.completed, "failed": sums.failed, "good_qty": sums.good}


def _rates(week: Sums) -> JsonObject:
    """Shares in percent, with the number of jobs or pieces that they are of."""
    ended, pieces = week.completed + week.failed, week.good + week.scrap
    return {
        "days": WINDOW_DAYS,
        "success": {"percent": week.success_rate, "n": ended},
        "scrap": {"percent": share(week.scrap, pieces) if pieces else None, "n": pieces},
    }


def _stock(families: list[FamilyFact]) -> JsonObject:
    low = [f for f in families if f.min_stock_mm is not None and f.stock_mm < f.min_stock_mm]
    named: list[JsonValue] = [
        {"id": f.id, "name": f.name, "stock_mm": f.stock_mm, "min_stock_mm": f.min_stock_mm} for f in low[:MAX_NAMED]
    ]
    return {"below_minimum": named, "count": len(low), "watched": sum(f.min_stock_mm is not None for f in families)}


def _machine(machine: MachineFact) -> JsonObject:
    state = "running" if machine.running else "stopped" if machine.stopped else "idle"
    return {"machine_id": machine.id, "state": state, "running": machine.running, "last_seen": machine.seen_at}


def _running(job: JsonObject, estimates: Mapping[str, JsonObject], now: Timestamp) -> JsonObject:
    """`elapsed_s` spares a screen the comparison of `start_time` with a clock of its own, which may be wrong; it is
    None where the start is unknown."""
    start = job["start_time"]
    elapsed_s = max(0.0, seconds_between(start, now)) if isinstance(start, str) else None
    told = {field: job[field] for field in _RUNNING_FIELDS}
    return told | {"elapsed_s": elapsed_s, "eta": estimates.get(str(job["id"]))}
