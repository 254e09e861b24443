"""Questions about jobs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final, TypeAlias

from rmos.analytics.calendar import DAYS_PER_MONTH, DAYS_PER_WEEK, Window, last_days
from rmos.analytics.describe import share
from rmos.analytics.facts import Dimension
from rmos.analytics.tallies import NO_OUTCOME, Outcome, Sums, of_status, outcomes_by_day, sums_by
from rmos.clock import Timestamp
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.jobs import COMPLETED, IN_PROGRESS, STATUSES
from rmos.services.analytics.materials import material_names
from rmos.services.analytics.patterns import MAX_NAMED
from rmos.services.analytics.windows import totals_in
from rmos.stores.figures import Figures

_RECENT: Final = (
    "id",
    "job_type",
    "status",
    "pattern_id",
    "strip_family_id",
    "machine_id",
    "project_id",
    "start_time",
    "end_time",
    "duration_seconds",
    "progress",
    "created_at",
)

Only: TypeAlias = Mapping[Dimension, str]
"""Conditions on the jobs that are looked at, all of which hold: dimensions and their values."""
EVERY: Final[Only] = {}


def success_trends(figures: Figures, *, days: int, now: Timestamp, only: Only = EVERY) -> JsonObject:
    """Completed and failed jobs of each of the last days, those without jobs as well; overall they are pooled."""
    calendar = last_days(now, days)
    counts = figures.daily_counts(only, calendar[0], calendar[-1])
    by_day, overall = outcomes_by_day(counts), Outcome.of(counts)
    return {
        "days": days,
        "trends": [{"date": day, **_outcome(by_day.get(day, NO_OUTCOME))} for day in calendar],
        "overall": _outcome(overall),
        "overall_success_rate": overall.success_rate,
    }


def duration(figures: Figures) -> JsonObject:
    """How long completed jobs take, by type."""
    completed = of_status(figures.totals(Dimension.JOB_TYPE), COMPLETED)
    by_type = sums_by(completed, lambda tally: tally.value)
    return {
        "job_types": [
            {
                "job_type": spread.job_type,
                "count": spread.timed,
                "min_seconds": spread.min_s,
                "max_seconds": spread.max_s,
                "avg_seconds": by_type[spread.job_type].avg_duration_s,
                "median_seconds": spread.median_s,
            }
            for spread in figures.spreads()
        ],
        "total_count": Sums.of(completed).timed,
        "avg_seconds": Sums.of(completed).avg_duration_s,
    }


def status(figures: Figures) -> JsonObject:
    """Jobs by status."""
    tallies = figures.totals(Dimension.JOB_TYPE)
    counts = dict.fromkeys(STATUSES, 0) | {
        name: sums.jobs for name, sums in sums_by(tallies, lambda tally: tally.status).items()
    }
    everything = Sums.of(tallies)
    return {
        "by_status": {
            name: {"count": count, "percentage": share(count, everything.jobs)} for name, count in counts.items()
        },
        "total_jobs": everything.jobs,
        "wip": sum(counts[name] for name in IN_PROGRESS),
        "success_rate": everything.success_rate,
    }


def throughput(figures: Figures, *, days: int, now: Timestamp, only: Only = EVERY) -> JsonObject:
    """Completed jobs by the day they ended, over the calendar: days on which nothing ended count."""
    calendar = last_days(now, days)
    by_day = outcomes_by_day(figures.daily_counts(only, calendar[0], calendar[-1]))
    counts = {day: by_day.get(day, NO_OUTCOME).completed for day in calendar}
    total = sum(counts.values())
    peak = max(calendar, key=counts.__getitem__)
    return {
        "days": days,
        "completed_jobs": total,
        "per_day": total / days,
        "per_week": total / days * DAYS_PER_WEEK,
        "per_month": total / days * DAYS_PER_MONTH,
        "peak_day": {"date": peak, "count": counts[peak]} if total else None,
        "daily": [{"date": day, "count": count} for day, count in counts.items()],
    }


def failures(figures: Figures, *, window: Window | None = None) -> JsonObject:
    """Failed jobs by type, pattern, material and reason, the most failures first; of all days without a window."""
    totals = partial(totals_in, figures, window)
    by_type = sums_by(totals(Dimension.JOB_TYPE), lambda tally: tally.value)
    by_pattern = sums_by(totals(Dimension.PATTERN), lambda tally: tally.value)
    by_machine = sums_by(totals(Dimension.MACHINE), lambda tally: tally.value)
    by_reason = sums_by(totals(Dimension.REASON), lambda tally: tally.value)
    materials = material_names(figures.families())
    by_material = sums_by(totals(Dimension.FAMILY), lambda tally: materials.get(tally.value or ""))
    failed = sum(sums.failed for sums in by_type.values())
    return {
        "total_failures": failed,
        "by_type": _failures("job_type", by_type),
        "by_pattern": _failures("pattern_id", by_pattern),
        "by_machine": _failures("machine_id", by_machine),
        "by_material": _failures("material_type", by_material),
        "by_reason": [
            {"reason": reason, "failed": sums.failed, "percentage": share(sums.failed, failed)}
            for reason, sums in sorted(by_reason.items(), key=lambda entry: (-entry[1].failed, entry[0] or "~"))
            if sums.failed
        ],
    }


def types(figures: Figures) -> JsonObject:
    """Jobs by type, the commonest first."""
    tallies = figures.totals(Dimension.JOB_TYPE)
    by_type = sums_by(tallies, lambda tally: tally.value)
    total = Sums.of(tallies).jobs
    return {
        "job_types": [
            {
                "job_type": job_type,
                "count": sums.jobs,
                "percentage": share(sums.jobs, total),
                "completed": sums.completed,
                "failed": sums.failed,
                "success_rate": sums.success_rate,
            }
            for job_type, sums in sorted(by_type.items(), key=lambda entry: (-entry[1].jobs, entry[0] or ""))
        ],
        "total_jobs": total,
        "unique_types": len(by_type),
    }


def recent_job(document: JsonObject) -> JsonObject:
    """What a list of recent jobs tells of a stored one; what it does not have is None."""
    seconds = document["duration_seconds"]
    minutes = seconds / 60 if isinstance(seconds, int | float) else None
    return {field: document[field] for field in _RECENT} | {"duration_minutes": minutes}


def _outcome(outcome: Outcome) -> JsonObject:
    return {
        "total": outcome.ended,
        "completed": outcome.completed,
        "failed": outcome.failed,
        "success_rate": outcome.success_rate,
    }


def _failures(name: str, groups: Mapping[str | None, Sums]) -> list[JsonValue]:
    """Groups with failures; the jobs that have none of what they are grouped by are left out."""
    failing = sorted(
        ((value, sums) for value, sums in groups.items() if value is not None and sums.failed),
        key=lambda entry: (-entry[1].failed, entry[0]),
    )
    return [
        {name: value, "failed": sums.failed, "completed": sums.completed, "failure_rate": sums.failure_rate}
        for value, sums in failing[:MAX_NAMED]
    ]
