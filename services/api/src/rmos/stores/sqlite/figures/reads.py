"""The figures on a connection (`stores.figures.Figures`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import orjson
from sqlalchemy import ColumnElement, Text, bindparam, case, cast, func, literal, or_, select

from rmos.analytics.calendar import day_after
from rmos.analytics.facts import (
    DayCount,
    Dimension,
    FamilyFact,
    JobFact,
    MachineFact,
    PatternFact,
    Presence,
    RingFact,
    Spread,
    StopTally,
    Tally,
)
from rmos.clock import Timestamp
from rmos.domain.jobs import COMPLETED, IN_PROGRESS, RUNNING, STOPPED
from rmos.eventlog.sqlite_statement import AnySelect, PackedSelect
from rmos.stores.figures import JobQuery
from rmos.stores.figures_schema import SUMS, family_facts, job_facts, job_totals, pattern_facts, spans, stop_facts

# Floats come through JSON with 15 digits. That is as exact as a sum of a million of them can be.

_value: Final = func.nullif(job_totals.c.value, "").label("value_")
_sums: Final = [job_totals.c[name] for name in SUMS]
_of_dimension: Final = job_totals.c.dimension == bindparam("dimension")


@lru_cache(maxsize=2)
def _totals_sql(*, one_value: bool) -> PackedSelect:
    query = select(_value, job_totals.c.status, *_sums)
    query = query.where(_of_dimension, job_totals.c.day == "")
    return PackedSelect(query.where(job_totals.c.value == bindparam("value")) if one_value else query)


_span: Final = func.json_each(bindparam("spans")).table_valued("value")
_WINDOW_TOTALS: Final = PackedSelect(
    select(
        _value,
        job_totals.c.status,
        *(func.sum(column).label(f"{column.name}_") for column in _sums),
    )
    .select_from(_span)
    .join(
        job_totals,
        _of_dimension
        & job_totals.c.day.between(func.json_extract(_span.c.value, "$[0]"), func.json_extract(_span.c.value, "$[1]")),
    )
    .group_by(job_totals.c.value, job_totals.c.status)
)


@lru_cache(maxsize=32)
def _daily_counts_sql(dimensions: tuple[Dimension, ...]) -> PackedSelect:
    """Sums are kept by one dimension each; those of every combination would be more than there are jobs."""
    if len(dimensions) > 1:
        day: ColumnElement[str] = func.substr(job_facts.c.moment, 1, 10)
        query = select(day.label("day_"), job_facts.c.status, func.count().label("jobs_")).where(
            job_facts.c.moment >= bindparam("first_day"),
            job_facts.c.moment < bindparam("day_after"),
            *(job_facts.c[dimension.value] == bindparam(dimension.value) for dimension in dimensions),
        )
        return PackedSelect(query.group_by(day, job_facts.c.status))
    # Every job has a type.
    dimension = next(iter(dimensions), Dimension.JOB_TYPE)
    query = select(job_totals.c.day, job_totals.c.status, func.sum(job_totals.c.jobs).label("jobs_")).where(
        job_totals.c.dimension == literal(dimension.value),
        job_totals.c.day >= bindparam("first_day"),
        job_totals.c.day < bindparam("day_after"),
        *(job_totals.c.value == bindparam(dimension.value) for dimension in dimensions),
    )
    return PackedSelect(query.group_by(job_totals.c.day, job_totals.c.status))


_having_length: Final = func.total(
    case(((stop_facts.c.seconds.is_not(None)) | (stop_facts.c.is_open == 1), stop_facts.c.begins), else_=0)
)
"""Stops that are no failures: each begins once, with the first version that tells it, and ends with the last."""


@lru_cache(maxsize=8)
def _stops_sql(dimension: Dimension) -> PackedSelect:
    value = stop_facts.c[dimension.value]
    return PackedSelect(
        select(
            value.label("value_"),
            stop_facts.c.reason,
            func.sum(stop_facts.c.begins).label("begun"),
            func.max(0, _having_length - func.sum(stop_facts.c.is_open)).label("ended"),
            func.total(stop_facts.c.seconds).label("seconds_"),
            func.sum(stop_facts.c.is_open).label("open"),
        )
        .where(stop_facts.c.day.between(bindparam("first_day"), bindparam("last_day")))
        .group_by(value, stop_facts.c.reason)
    )


def _seconds(start: ColumnElement[str], end: ColumnElement[str]) -> ColumnElement[float]:
    return (func.julianday(end) - func.julianday(start)) * 86_400


_since: Final = cast(bindparam("since"), Text)
_now: Final = cast(bindparam("now"), Text)
_OPEN: Final = PackedSelect(
    select(
        func.count().label("open_jobs"),
        func.total(func.max(0.0, _seconds(func.max(job_facts.c.start_time, _since), _now))).label("open_s"),
    ).where(
        or_(*(job_facts.c.status == name for name in IN_PROGRESS)),
        job_facts.c.start_time <= _now,
        job_facts.c.lead_s.is_(None),
    )
)
_LATER: Final = PackedSelect(
    select(
        func.count().label("open_jobs"),
        func.total(_seconds(func.max(job_facts.c.start_time, _since), _now)).label("open_s"),
    ).where(job_facts.c.moment > _now, job_facts.c.start_time <= _now, job_facts.c.lead_s.is_not(None))
)
"""What was still open then and has ended since: a window may end on an earlier day."""
_EARLIER: Final = PackedSelect(
    select(func.total(_seconds(job_facts.c.start_time, _since)).label("earlier_s")).where(
        job_facts.c.moment >= _since,
        job_facts.c.moment <= _now,
        job_facts.c.start_time < _since,
        job_facts.c.lead_s.is_not(None),
    )
)


_TIMED_TYPES: Final = PackedSelect(
    select(job_totals.c.value, job_totals.c.timed).where(
        job_totals.c.dimension == Dimension.JOB_TYPE.value,
        job_totals.c.day == "",
        job_totals.c.status == COMPLETED,
        job_totals.c.timed > 0,
    )
)
_durations: Final = (
    select(job_facts.c.duration_seconds)
    .where(
        job_facts.c.job_type == bindparam("job_type"),
        job_facts.c.status == COMPLETED,
        job_facts.c.duration_seconds.is_not(None),
    )
    .order_by(job_facts.c.duration_seconds)
)


def _at(place: str, count: str) -> ColumnElement[float]:
    """Mean of the durations from a place in their order, found along the index of durations."""
    found = _durations.offset(bindparam(place)).limit(bindparam(count)).subquery()
    return select(func.avg(found.c.duration_seconds)).scalar_subquery()


_SPREAD: Final = PackedSelect(
    select(
        _at("first", "one").label("min_s"),
        _at("middle", "middles").label("median_s"),
        _at("last", "one").label("max_s"),
    )
)


def jobs_query(fields: tuple[str, ...], known: tuple[str, ...], *, has_statuses: bool, has_window: bool) -> AnySelect:
    """The newest jobs with certain values, newest first, along an index that is in the order of their moments."""
    query = select(*(job_facts.c[name] for name in JobFact.__slots__))
    query = query.where(*(job_facts.c[field] == bindparam(f"where_{field}") for field in fields))
    query = query.where(*(job_facts.c[name].is_not(None) for name in known))
    if has_statuses:
        accepted = select(func.json_each(bindparam("statuses")).table_valued("value").c.value)
        query = query.where(job_facts.c.status.in_(accepted))
    if has_window:
        query = query.where(job_facts.c.moment >= bindparam("first_day"), job_facts.c.moment < bindparam("day_after"))
    return query.order_by(job_facts.c.moment.desc(), job_facts.c.number.desc()).limit(bindparam("limit"))


@lru_cache(maxsize=256)
def _jobs_sql(fields: tuple[str, ...], known: tuple[str, ...], *, has_statuses: bool, has_window: bool) -> PackedSelect:
    return PackedSelect(jobs_query(fields, known, has_statuses=has_statuses, has_window=has_window))


@lru_cache(maxsize=2)
def _durations_sql(*, of_pattern: bool) -> PackedSelect:
    query = select(job_facts.c.duration_seconds).where(
        job_facts.c.job_type == bindparam("job_type"),
        func.nullif(job_facts.c.status, "") == COMPLETED,  # not the bare column: its index is in no order of moments
        job_facts.c.duration_seconds.is_not(None),
    )
    if of_pattern:
        query = query.where(job_facts.c.pattern_id == bindparam("pattern_id"))
    return PackedSelect(query.order_by(job_facts.c.moment.desc()).limit(bindparam("limit")))


def _jobs_in(*statuses: str) -> ColumnElement[int]:
    is_one = or_(*(job_totals.c.status == status for status in statuses))
    return func.sum(case((is_one, job_totals.c.jobs), else_=0))


_machine_jobs: Final = (
    select(job_totals.c.value, _jobs_in(RUNNING).label("running"), _jobs_in(*STOPPED).label("stopped"))
    .where(job_totals.c.dimension == Dimension.MACHINE.value, job_totals.c.day == "", job_totals.c.value != "")
    .group_by(job_totals.c.value)
    .subquery()
)
_MACHINES: Final = PackedSelect(
    select(
        *_machine_jobs.c,
        select(func.max(job_facts.c.seen_at))
        .where(job_facts.c.machine_id == _machine_jobs.c.value)
        .scalar_subquery()
        .label("seen_at"),
    )
    .order_by(_machine_jobs.c.value)
    .limit(-1)
)
_PATTERNS: Final = PackedSelect(
    select(*pattern_facts.c).order_by(pattern_facts.c.name, pattern_facts.c.id).limit(-1), document="rings"
)
_PATTERN_COUNT: Final = PackedSelect(select(func.count().label("patterns")).select_from(pattern_facts))
_FAMILIES: Final = PackedSelect(select(*family_facts.c).order_by(family_facts.c.name, family_facts.c.id).limit(-1))


class SqliteFigures:
    """The figures as they stand in the file (`stores.figures.Figures`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def totals(self, dimension: Dimension, *, value: str | None = None) -> list[Tally]:
        """Jobs of all days, added up by a dimension and their status."""
        rows = _totals_sql(one_value=value is not None).rows(self._connection, dimension=dimension.value, value=value)
        return [Tally(*row) for row in rows]

    def daily_counts(self, conditions: Mapping[Dimension, str], first_day: str, last_day: str) -> list[DayCount]:
        """Jobs of each day that have all these values, by status."""
        rows = _daily_counts_sql(tuple(sorted(conditions))).rows(
            self._connection,
            first_day=first_day,
            day_after=day_after(last_day),
            **{dimension.value: value for dimension, value in conditions.items()},
        )
        return [DayCount(*row) for row in rows]

    def window_totals(self, dimension: Dimension, first_day: str, last_day: str) -> list[Tally]:
        """Jobs of all these days, added up by a dimension and their status."""
        ranges = orjson.dumps(spans(first_day, last_day)).decode()
        rows = _WINDOW_TOTALS.rows(self._connection, dimension=dimension.value, spans=ranges)
        return [Tally(*row) for row in rows]

    def stops(self, dimension: Dimension, first_day: str, last_day: str) -> list[StopTally]:
        """Stops that began on these days, by a dimension of their jobs and their reason."""
        rows = _stops_sql(dimension).rows(self._connection, first_day=first_day, last_day=last_day)
        return [StopTally(*row) for row in rows]

    def presence(self, since: Timestamp, now: Timestamp) -> Presence:
        """Time in progress that the sums of whole jobs between `since` and `now` lack or have too much."""
        ((open_jobs, open_s),) = _OPEN.rows(self._connection, since=since, now=now)
        ((later_jobs, later_s),) = _LATER.rows(self._connection, since=since, now=now)
        ((earlier_s,),) = _EARLIER.rows(self._connection, since=since, now=now)
        return Presence(open_jobs + later_jobs, open_s + later_s, earlier_s)

    def spreads(self) -> list[Spread]:
        """Of each job type that has completed jobs with a duration."""
        spreads = []
        for job_type, timed in _TIMED_TYPES.rows(self._connection):
            places = {"first": 0, "middle": (timed - 1) // 2, "last": timed - 1}
            ((min_s, median_s, max_s),) = _SPREAD.rows(
                self._connection, job_type=job_type, one=1, middles=2 - timed % 2, **places
            )
            spreads.append(Spread(job_type, timed, min_s, median_s, max_s))
        return spreads

    def jobs(self, query: JobQuery) -> list[JobFact]:
        """The newest jobs that match, oldest first."""
        statement = _jobs_sql(
            tuple(field for field, _ in query.where),
            tuple(query.known),
            has_statuses=bool(query.statuses),
            has_window=query.window is not None,
        )
        window = {} if query.window is None else {"first_day": query.window[0], "day_after": day_after(query.window[1])}
        rows = statement.rows(
            self._connection,
            **{f"where_{field}": value for field, value in query.where},
            statuses=orjson.dumps(list(query.statuses)).decode(),
            limit=query.limit,
            **window,
        )
        return [JobFact(*row) for row in reversed(rows)]

    def durations(self, job_type: str, pattern_id: str | None, *, limit: int) -> list[float]:
        """Durations of the newest completed jobs of a type, ascending."""
        statement = _durations_sql(of_pattern=pattern_id is not None)
        rows = statement.rows(self._connection, job_type=job_type, pattern_id=pattern_id, limit=limit)
        return sorted(duration_s for (duration_s,) in rows)

    def machines(self) -> list[MachineFact]:
        """Every machine that a job names, by id."""
        return [MachineFact(*row) for row in _MACHINES.rows(self._connection)]

    def patterns(self) -> list[PatternFact]:
        """Every pattern, by name and id."""
        return [
            PatternFact(pattern_id, name, ring_count, family_id, tuple(RingFact(*ring) for ring in orjson.loads(rings)))
            for (pattern_id, name, ring_count, family_id), rings in _PATTERNS.with_documents(self._connection)
        ]

    def pattern_count(self) -> int:
        """How many patterns there are."""
        ((count,),) = _PATTERN_COUNT.rows(self._connection)
        return int(count)

    def families(self) -> list[FamilyFact]:
        """Every strip family, by name and id."""
        return [FamilyFact(*row) for row in _FAMILIES.rows(self._connection)]
