"""Tables of the figures: what is counted of each entity, and the jobs added up.

They are derived from the stores and can be made anew from them at any time, so they are no part of the migrations:
another `LAYOUT` is another set of tables, filled from the beginning.

Rule 1: `job_facts` holds what was last added to `job_totals` of each job, so that it can be taken off again.
Rule 2: an empty text stands for "none" in the key of `job_totals`. Its `day` is a day, a whole month (`MONTH` before
`YYYY-MM`), or empty for all days together. So a window of a year is a dozen months and some days at its ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Float, Index, Integer, LargeBinary, MetaData, Table, Text, case, func

from rmos.analytics.facts import RISK_SEPARATOR, Dimension

LAYOUT: Final = 7
"""Number of this set of tables. Raise it with every change of a table, or of what is counted."""

metadata: Final = MetaData()

job_facts: Final = Table(
    "job_facts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("job_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("pattern_id", Text),
    Column("strip_family_id", Text),
    Column("machine_id", Text),
    Column("project_id", Text),
    Column("reason", Text),
    Column("shift", Text, comment="in which its moment lies"),
    Column("tool_band", Text),
    Column("moment", Text, nullable=False, comment="end, or start, or when it was logged"),
    Column("start_time", Text),
    Column("seen_at", Text, nullable=False, comment="when it was last changed"),
    Column("lead_s", Float, comment="seconds from start to end"),
    Column("duration_seconds", Float),
    Column("waste_percentage", Float),
    Column("strip_used_mm", Float),
    Column("good_qty", Float),
    Column("scrap_qty", Float),
    Column("rework_qty", Float),
    Column("kerf_mm", Float),
    Column("actual_kerf_mm", Float),
    Column("tool_diameter_mm", Float),
    Column("planned_s", Float, comment="planned time of a piece times pieces; NULL without a duration"),
)
Index("ix_job_facts_moment", job_facts.c.moment, job_facts.c.start_time)
# Not by status: for the newest jobs of a status the planner would take it, and sort them all.
Index("ix_job_facts_open", job_facts.c.start_time, sqlite_where=job_facts.c.lead_s.is_(None))
for _field in ("job_type", "pattern_id", "strip_family_id", "machine_id", "project_id"):
    Index(f"ix_job_facts_{_field}", job_facts.c[_field], job_facts.c.moment)
# With the status, so that counting the days of both needs no row: on few machines there are many jobs.
Index(
    "ix_job_facts_machine_id_job_type",
    job_facts.c.machine_id,
    job_facts.c.job_type,
    job_facts.c.moment,
    job_facts.c.status,
)
Index("ix_job_facts_pattern_id_job_type", job_facts.c.pattern_id, job_facts.c.job_type, job_facts.c.moment)
Index("ix_job_facts_machine_id_seen_at", job_facts.c.machine_id, job_facts.c.seen_at)
Index("ix_job_facts_duration", job_facts.c.job_type, job_facts.c.status, job_facts.c.duration_seconds)

SUMS: Final[Mapping[str, ColumnElement[Any]]] = {  # Any: counts and sums
    "jobs": func.count(),
    "timed": func.count(job_facts.c.duration_seconds),
    "duration_s": func.total(job_facts.c.duration_seconds),
    "measured": func.count(job_facts.c.waste_percentage),
    "waste_percentage": func.total(job_facts.c.waste_percentage),
    "reported": func.count(job_facts.c.strip_used_mm),
    "used_mm": func.total(job_facts.c.strip_used_mm),
    "counted": func.count(func.coalesce(job_facts.c.good_qty, job_facts.c.scrap_qty)),
    "good": func.total(job_facts.c.good_qty),
    "scrap": func.total(job_facts.c.scrap_qty),
    "rework": func.total(job_facts.c.rework_qty),
    "first_pass": func.total(func.max(0, job_facts.c.good_qty - func.coalesce(job_facts.c.rework_qty, 0))),
    "spanned": func.count(job_facts.c.lead_s),
    "lead_s": func.total(job_facts.c.lead_s),
    "planned": func.count(job_facts.c.planned_s),
    "planned_s": func.total(job_facts.c.planned_s),
    "planned_run_s": func.total(case((job_facts.c.planned_s.is_not(None), job_facts.c.duration_seconds))),
}
"""What is added up of the jobs of one cell, by column of `job_totals`."""
_COUNTS: Final = ("jobs", "timed", "measured", "reported", "counted", "spanned", "planned")

job_totals: Final = Table(
    "job_totals",
    metadata,
    Column("dimension", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    *(Column(name, Integer if name in _COUNTS else Float, nullable=False) for name in SUMS),
    sqlite_with_rowid=False,
)
# Of one value the days lie far apart in the key.
Index("ix_job_totals_value", job_totals.c.dimension, job_totals.c.value, job_totals.c.day)
Index("ix_job_totals_empty", job_totals.c.jobs, sqlite_where=job_totals.c.jobs == 0)

VALUE: Final[Mapping[Dimension, ColumnElement[str]]] = {
    dimension: func.coalesce(job_facts.c[dimension.value], "")
    for dimension in Dimension
    if dimension is not Dimension.RISK
} | {
    Dimension.RISK: job_facts.c.job_type
    + RISK_SEPARATOR
    + func.coalesce(job_facts.c.strip_family_id, "")
    + RISK_SEPARATOR
    + func.coalesce(job_facts.c.tool_band, "")
}
"""The value of a job in each dimension."""
BY_DAY: Final = tuple(dimension for dimension in Dimension if dimension is not Dimension.RISK)
"""Dimensions that are added up by day and by month as well."""
MONTH: Final = "M"
"""Before a month, so that no month lies between two days."""


def spans(first_day: str, last_day: str) -> list[tuple[str, str]]:
    """The fewest ranges of `job_totals.day` that cover these days: days before, whole months, days after."""
    first, last = date.fromisoformat(first_day), date.fromisoformat(last_day)
    months_from = first if first.day == 1 else _next_month(first)
    months_to = last + timedelta(days=1) if (last + timedelta(days=1)).day == 1 else last.replace(day=1)
    if months_from >= months_to:
        return [(first_day, last_day)]
    last_month = months_to - timedelta(days=1)
    found = [(f"{MONTH}{months_from:%Y-%m}", f"{MONTH}{last_month:%Y-%m}")]
    if first < months_from:
        found.append((first_day, (months_from - timedelta(days=1)).isoformat()))
    if months_to <= last:
        found.append((months_to.isoformat(), last_day))
    return found


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


stop_facts: Final = Table(
    "stop_facts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("job_id", Text, nullable=False),
    *(Column(field, Text) for field in ("job_type", "pattern_id", "strip_family_id", "machine_id", "project_id")),
    Column("reason", Text),
    Column("shift", Text, comment="in which it began"),
    Column("day", Text, nullable=False),
    Column("begins", Integer, nullable=False, comment="0: goes on with the stop before it"),
    Column("is_open", Integer, nullable=False),
    Column("seconds", Float, comment="NULL while it goes on, and for a failure"),
)
Index("ix_stop_facts_job_id", stop_facts.c.job_id)
Index("ix_stop_facts_day", stop_facts.c.day)

pattern_facts: Final = Table(
    "pattern_facts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("ring_count", Integer, nullable=False),
    Column("strip_family_id", Text),
    Column("rings", LargeBinary, nullable=False, comment="JSON list of [radius_mm, segments]"),
)

family_facts: Final = Table(
    "family_facts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("material_type", Text, nullable=False),
    Column("lane", Text),
    Column("supplier", Text),
    Column("strip_width_mm", Float, nullable=False),
    Column("strip_thickness_mm", Float, nullable=False),
    Column("strips", Integer, nullable=False),
    Column("stock_mm", Float, nullable=False),
    Column("min_stock_mm", Float),
)

progress: Final = Table(
    "progress",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("reached", Integer, nullable=False, comment="offset of the log up to which everything is counted"),
    Column("counted_to", Text, comment="id of the last job counted while all are counted anew; NULL when done"),
)
