"""The figures on a connection (`stores.figures.Figures`)."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import Final

import orjson
from sqlalchemy import ColumnElement, Text, bindparam, case, cast, func, null, or_, select

from rmos.analytics.facts import (
    Dimension,
    FamilyFact,
    JobFact,
    PatternFact,
    Presence,
    RingFact,
    Spread,
    StopTally,
    Tally,
)
from rmos.clock import Timestamp
from rmos.domain.jobs import COMPLETED, IN_PROGRESS
from rmos.eventlog.sqlite_statement import AnySelect, PackedSelect
from rmos.stores.figures import JobQuery
from rmos.stores.figures_schema import SUMS, family_facts, job_facts, job_totals, pattern_facts, spans, stop_facts

# Floats come through JSON with 15 digits. That is as exact as a sum of a million of them can be.

_value: Final = func.nullif(job_totals.c.value, "").label("value_")
_sums: Final = [job_totals.c[name] for name in SUMS]
_of_dimension: Final = job_totals.c.dimension == bindparam("dimension")


@lru_cache(maxsize=2)
def _totals_sql(*, one_value: bool) -> PackedSelect:
    query = select(_value, null().label("day_"), job_totals.c.status, *_sums)
    query = query.where(_of_dimension, job_totals.c.day == "")
    return PackedSelect(query.where(job_totals.c.value == bindparam("value")) if one_value else query)


_DAILY_TOTALS: Final = PackedSelect(
    select(_value, job_totals.c.day, job_totals.c.status, *_sums).where(
        _of_dimension, job_totals.c.day.between(bindparam("first_day"), bindparam("last_day"))
    )
)
_span: Final = func.json_each(bindparam("spans")).table_valued("value")
_WINDOW_TOTALS: Final = PackedSelect(
    select(
        _value,
        null().label("day_"),
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
        job_facts.c.start_time.is_not(None),
        job_facts.c.lead_s.is_(None),
    )
)
_EARLIER: Final = PackedSelect(
    select(func.total(_seconds(job_facts.c.start_time, _since)).label("earlier_s")).where(
        job_facts.c.moment >= _since, job_facts.c.start_time < _since, job_facts.c.lead_s.is_not(None)
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


def jobs_query(fields: tuple[str, ...], known: tuple[str, ...], *, has_statuses: bool) -> AnySelect:
    """The newest jobs with certain values, newest first, along an index that is in the order of their moments."""
    query = select(*(job_facts.c[name] for name in JobFact.__slots__))
    query = query.where(*(job_facts.c[field] == bindparam(f"where_{field}") for field in fields))
    query = query.where(*(job_facts.c[name].is_not(None) for name in known))
    if has_statuses:
        accepted = select(func.json_each(bindparam("statuses")).table_valued("value").c.value)
        query = query.where(job_facts.c.status.in_(accepted))
    return query.order_by(job_facts.c.moment.desc(), job_facts.c.number.desc()).limit(bindparam("limit"))


@lru_cache(maxsize=256)
def _jobs_sql(fields: tuple[str, ...], known: tuple[str, ...], *, has_statuses: bool) -> PackedSelect:
    return PackedSelect(jobs_query(fields, known, has_statuses=has_statuses))


_PATTERNS: Final = PackedSelect(
    select(*pattern_facts.c).order_by(pattern_facts.c.name, pattern_facts.c.id).limit(-1), document="rings"
)
_FAMILIES: Final = PackedSelect(select(*family_facts.c).order_by(family_facts.c.name, family_facts.c.id).limit(-1))


class SqliteFigures:
    """The figures as they stand in the file (`stores.figures.Figures`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def totals(self, dimension: Dimension, *, value: str | None = None) -> list[Tally]:
        """Jobs of all days, added up by a dimension and their status."""
        rows = _totals_sql(one_value=value is not None).rows(self._connection, dimension=dimension.value, value=value)
        return [Tally(*row) for row in rows]

    def daily_totals(self, dimension: Dimension, first_day: str, last_day: str) -> list[Tally]:
        """Jobs of each day, added up by a dimension and their status."""
        rows = _DAILY_TOTALS.rows(self._connection, dimension=dimension.value, first_day=first_day, last_day=last_day)
        return [Tally(*row) for row in rows]

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
        ((earlier_s,),) = _EARLIER.rows(self._connection, since=since)
        return Presence(open_jobs, open_s, earlier_s)

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
            tuple(field for field, _ in query.where), tuple(query.known), has_statuses=bool(query.statuses)
        )
        rows = statement.rows(
            self._connection,
            **{f"where_{field}": value for field, value in query.where},
            statuses=orjson.dumps(list(query.statuses)).decode(),
            limit=query.limit,
        )
        return [JobFact(*row) for row in reversed(rows)]

    def patterns(self) -> list[PatternFact]:
        """Every pattern, by name and id."""
        return [
            PatternFact(pattern_id, name, ring_count, family_id, tuple(RingFact(*ring) for ring in orjson.loads(rings)))
            for (pattern_id, name, ring_count, family_id), rings in _PATTERNS.with_documents(self._connection)
        ]

    def families(self) -> list[FamilyFact]:
        """Every strip family, by name and id."""
        return [FamilyFact(*row) for row in _FAMILIES.rows(self._connection)]
