"""Follow the log: count again what has changed since the figures were last asked for.

Rule 1: a step is one transaction: what it counts and how far it came are stored together, or not at all.
Rule 2: a job that changed is taken off with the numbers it was added with, and added with those it has now. So a step
may be repeated, and counting a job early, late or twice leaves the same sums.
Rule 3: when the log cannot say what changed (another epoch, or events no longer kept), all is counted anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    MetaData,
    Table,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement
from sqlalchemy.sql.functions import FunctionElement

from rmos.analytics.extraction import family_fact, pattern_fact
from rmos.analytics.facts import TOOL_BANDS, Dimension
from rmos.analytics.shifts import Shifts
from rmos.domain.entities import JOBLOG, KINDS, PATTERN, STRIP_FAMILY, JsonObject, Kind
from rmos.domain.events import Category, event_type
from rmos.domain.jobs import FAILED, STOPPED
from rmos.eventlog.base import LogHead
from rmos.eventlog.schema import events
from rmos.eventlog.sqlite import read_head
from rmos.eventlog.sqlite_statement import PackedSelect, Statement
from rmos.stores.figures_schema import (
    BY_DAY,
    LAYOUT,
    MONTH,
    SUMS,
    VALUE,
    family_facts,
    job_facts,
    job_totals,
    metadata,
    pattern_facts,
    progress,
    stop_facts,
)
from rmos.stores.schema import TABLE, joblogs
from rmos.stores.sqlite.connection import roll_back

Row: TypeAlias = "dict[str, Any]"  # Any: the values of the columns of whatever table

STEP_EVENTS: Final = 5_000
"""Events, or jobs when all are counted anew, of one step: a few tenths of a second."""
_LARGEST: Final = 1e15
"""Largest magnitude that is taken for a measurement, as in `domain.fields`."""

changed: Final = Table("changed", MetaData(), Column("id", Text, primary_key=True), schema="temp")
"""The entities that a step counts again."""

_document: Final = cast(joblogs.c.body, Text)


def _number(*paths: str, at_least: float = -_LARGEST, at_most: float = _LARGEST) -> ColumnElement[Any]:
    """The first of these members of a job that is a number within the bounds. Any: a float or NULL."""
    return func.coalesce(*(_member(path, at_least, at_most) for path in paths), literal(None))


def _member(path: str, at_least: float, at_most: float) -> ColumnElement[Any]:  # Any: as above
    value = func.json_extract(_document, path)
    kind = func.json_type(_document, path)
    is_number = (kind == "integer") | (kind == "real")
    return case((is_number & value.between(at_least, at_most), cast(value, Float)), else_=None)


def _seconds(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[Any]:  # Any: text in, float out
    """Seconds between two times, to the millisecond; SQLite counts days."""
    return func.round((func.julianday(end) - func.julianday(start)) * 86_400, 3)


_tool_mm: Final = _number(
    "$.parameters.tool_diameter_mm", "$.parameters.tool_diameter", "$.parameters.toolDiameter", at_least=0, at_most=1e3
)
_pieces: Final = case(
    (
        func.coalesce(joblogs.c.good_qty, joblogs.c.scrap_qty).is_not(None),
        func.coalesce(joblogs.c.good_qty, 0) + func.coalesce(joblogs.c.scrap_qty, 0),
    )
)
_moment: Final = func.coalesce(joblogs.c.end_time, joblogs.c.start_time, joblogs.c.created_at)
_FACT: Final = {
    **{
        name: joblogs.c[name]
        for name in (
            "id",
            "job_type",
            "status",
            "pattern_id",
            "strip_family_id",
            "machine_id",
            "project_id",
            "reason",
            "duration_seconds",
            "good_qty",
            "scrap_qty",
            "rework_qty",
        )
    },
    "start_time": joblogs.c.start_time,
    "seen_at": joblogs.c.updated_at,
    "moment": _moment,
    "lead_s": _seconds(joblogs.c.start_time, joblogs.c.end_time),
    "waste_percentage": _number("$.results.waste_percentage", at_least=0, at_most=100),
    "strip_used_mm": _number("$.results.strip_used_mm", at_least=0),
    "kerf_mm": _number("$.parameters.kerf_mm", "$.results.kerf_mm", at_least=0),
    "actual_kerf_mm": _number("$.results.actual_kerf_mm", "$.parameters.actual_kerf_mm", at_least=0),
    "tool_diameter_mm": _tool_mm,
    "planned_s": case(
        (
            joblogs.c.duration_seconds.is_not(None),
            _number("$.parameters.planned_seconds_per_piece", at_least=0) * _pieces,
        )
    ),
    "shift": func.rmos_shift(_moment),
    "tool_band": case(*((_tool_mm < below, name) for name, below in TOOL_BANDS), else_=None),
}
"""What is counted of a job, by column of `job_facts`."""

_CHANGED_KEYS: Final = Statement(
    insert(changed).from_select(
        ["id"],
        select(func.substr(events.c.key, bindparam("prefix")))
        .distinct()
        .where(
            events.c.offset > bindparam("after"),
            events.c.offset <= bindparam("until"),
            events.c.category == bindparam("category"),
            events.c.version.is_not(None),
            events.c.key.is_not(None),
        ),
    )
)
_NEXT_JOBS: Final = Statement(
    insert(changed).from_select(
        ["id"],
        select(joblogs.c.id).where(joblogs.c.id > bindparam("after")).order_by(joblogs.c.id).limit(STEP_EVENTS),
    )
)
_LAST_CHANGED: Final = Statement(select(func.max(changed.c.id)))
_FORGET_CHANGED: Final = Statement(delete(changed))
_is_changed: Final = job_facts.c.id.in_(select(changed.c.id))


def _add_up(dimension: Dimension, day: ColumnElement[str], *, sign: int) -> Statement:
    """Add the changed jobs to the cells of a dimension (`sign` 1), or take them off again (-1)."""
    keys = (literal(dimension.value), day, VALUE[dimension], job_facts.c.status)
    sums = select(*keys, *(column * sign for column in SUMS.values())).where(_is_changed)
    new = insert(job_totals).from_select(
        [column.name for column in job_totals.c], sums.group_by(text("2"), text("3"), text("4"))
    )
    return Statement(
        new.on_conflict_do_update(
            index_elements=list(job_totals.primary_key),
            set_={name: job_totals.c[name] + new.excluded[name] for name in SUMS},
        )
    )


_ALL_DAYS: Final = literal("")
_DAY: Final = func.substr(job_facts.c.moment, 1, 10)
_MONTH: Final = literal(MONTH) + func.substr(job_facts.c.moment, 1, 7)
_TAKE_OFF, _ADD = (
    [
        *(_add_up(dimension, _ALL_DAYS, sign=sign) for dimension in Dimension),
        *(_add_up(dimension, period, sign=sign) for dimension in BY_DAY for period in (_DAY, _MONTH)),
    ]
    for sign in (-1, 1)
)
_REPLACE: Final = (
    Statement(delete(job_facts).where(_is_changed)),
    Statement(
        insert(job_facts).from_select(
            list(_FACT),
            select(*(column.label(name) for name, column in _FACT.items())).where(
                joblogs.c.id.in_(select(changed.c.id))
            ),
        )
    ),
)
_created: Final = events.alias("created")
_born: Final = (
    select(func.max(_created.c.offset))
    .where(_created.c.key == events.c.key, _created.c.type == event_type(Category.JOB, "created"))
    .correlate(events)
    .scalar_subquery()
)
"""Where the present life of a job begins: its id may have been another job's, which was deleted."""
_versions: Final = (
    select(
        joblogs.c.id.label("job_id"),
        *(joblogs.c[field] for field in ("job_type", "pattern_id", "strip_family_id", "machine_id", "project_id")),
        func.json_extract(cast(events.c.data, Text), "$.status").label("status"),
        func.json_extract(cast(events.c.data, Text), "$.reason").label("reason"),
        events.c.timestamp.label("since"),
        events.c.offset.label("offset"),
    )
    .select_from(joblogs)
    .join(events, events.c.key == JOBLOG.key("") + joblogs.c.id)
    .where(
        joblogs.c.id.in_(select(changed.c.id)),
        events.c.version.is_not(None),
        events.c.offset >= func.coalesce(_born, 0),  # the log may no longer tell of the creation
    )
    .subquery("versions")
)


def _beside(value: FunctionElement[Any]) -> ColumnElement[Any]:  # Any: of whatever column
    """A value of the version before or after."""
    return value.over(partition_by=_versions.c.job_id, order_by=_versions.c.offset)


_neighbours: Final = select(
    *_versions.c,
    _beside(func.lead(_versions.c.since)).label("until"),
    _beside(func.lag(_versions.c.status)).label("status_before"),
    _beside(func.lag(_versions.c.reason)).label("reason_before"),
).subquery("neighbours")


def _is_stopped(status: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*(status == name for name in STOPPED))


_goes_on: Final = and_(
    _is_stopped(_neighbours.c.status_before), _neighbours.c.reason.is_not_distinct_from(_neighbours.c.reason_before)
)
_STOP: Final = {
    **{
        name: _neighbours.c[name]
        for name in ("job_id", "job_type", "pattern_id", "strip_family_id", "machine_id", "project_id", "reason")
    },
    "shift": func.rmos_shift(_neighbours.c.since),
    "day": func.substr(_neighbours.c.since, 1, 10),
    "begins": case((_goes_on, 0), else_=1),
    "is_open": case((_is_stopped(_neighbours.c.status) & _neighbours.c.until.is_(None), 1), else_=0),
    "seconds": case((_is_stopped(_neighbours.c.status), _seconds(_neighbours.c.since, _neighbours.c.until))),
}
"""A stop as one version of its job tells it, by column of `stop_facts`. As far back as the log is kept."""
_REPLACE_STOPS: Final = (
    Statement(delete(stop_facts).where(stop_facts.c.job_id.in_(select(changed.c.id)))),
    Statement(
        insert(stop_facts).from_select(
            list(_STOP),
            select(*(column.label(name) for name, column in _STOP.items())).where(
                or_(_is_stopped(_neighbours.c.status), _neighbours.c.status == FAILED)
            ),
        )
    ),
)
_DROP_EMPTY: Final = Statement(delete(job_totals).where(job_totals.c.jobs == 0))


def _pattern_row(document: JsonObject) -> Row:
    fact = pattern_fact(document)
    return {
        "id": fact.id,
        "name": fact.name,
        "ring_count": fact.ring_count,
        "strip_family_id": fact.family_id,
        "rings": orjson.dumps([(ring.radius_mm, ring.segments) for ring in fact.rings]),
    }


def _family_row(document: JsonObject) -> Row:
    row = asdict(family_fact(document))
    row["material_type"] = row.pop("material")
    return row


_PARENTS: Final[Mapping[Kind, tuple[Table, Callable[[JsonObject], Row]]]] = {
    PATTERN: (pattern_facts, _pattern_row),
    STRIP_FAMILY: (family_facts, _family_row),
}
"""The few entities that Python reads: their table, and the row of a document."""
_BODIES: Final = {
    kind.name: PackedSelect(
        select(TABLE[kind.name].c.id, TABLE[kind.name].c.body).where(TABLE[kind.name].c.id.in_(select(changed.c.id))),
        document="body",
    )
    for kind in _PARENTS
}
_ALL_IDS: Final = {
    kind.name: Statement(insert(changed).from_select(["id"], select(TABLE[kind.name].c.id))) for kind in _PARENTS
}
_DELETE: Final = {
    table.name: Statement(delete(table).where(table.c.id.in_(select(changed.c.id)))) for table, _ in _PARENTS.values()
}
_INSERT: Final = {table.name: Statement(insert(table)) for table, _ in _PARENTS.values()}

_FORGET: Final = [Statement(delete(table)) for table in metadata.sorted_tables]
_PROGRESS: Final = Statement(select(progress.c.epoch, progress.c.reached, progress.c.counted_to))
_BEGIN_ANEW: Final = Statement(
    insert(progress).values(id=1, epoch=bindparam("epoch"), reached=bindparam("reached"), counted_to="")
)
_REACH: Final = Statement(update(progress).values(reached=bindparam("reached")))
_COUNTED_TO: Final = Statement(update(progress).values(counted_to=bindparam("counted_to")))


def make_tables(connection: sqlite3.Connection, stamp: int) -> None:
    """Make the tables in an empty file, all or none; `stamp` says which shifts they are counted by."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for table in metadata.sorted_tables:
            _create(connection, table)
        connection.execute(f"PRAGMA user_version={LAYOUT}")
        connection.execute(f"PRAGMA application_id={stamp}")
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def prepare(connection: sqlite3.Connection, shop: Path, shifts: Shifts) -> None:
    """Attach the shop, to be read; make the table that steps work with, and the function that knows the shifts."""
    connection.create_function("rmos_shift", 1, shifts.shift_of, deterministic=True)
    connection.execute("ATTACH ? AS shop", (f"{shop.absolute().as_uri()}?mode=ro",))
    _create(connection, changed)


def _create(connection: sqlite3.Connection, table: Table) -> None:
    statements: list[ExecutableDDLElement] = [CreateTable(table), *map(CreateIndex, sorted(table.indexes, key=str))]
    for statement in statements:
        connection.execute(str(statement.compile(dialect=sqlite.dialect())))


def step(connection: sqlite3.Connection) -> bool:
    """Count the next part of what has changed. Whether there is more.

    Args:
        connection: On the figures, with the shop attached to read and the table `changed`.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        more = _step(connection)
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise
    return more


def _step(connection: sqlite3.Connection) -> bool:
    head = read_head(connection)
    found = _PROGRESS.run(connection).fetchall()
    epoch, reached, counted_to = found[0] if found else (None, 0, None)
    if epoch != head.epoch or not head.oldest - 1 <= reached <= head.offset:
        _begin_anew(connection, head)
        return True
    if counted_to is not None:
        _count_next_jobs(connection, counted_to)
        return True
    until = min(reached + STEP_EVENTS, head.offset)
    if until > reached:
        _count_events(connection, reached, until)
        _REACH.run(connection, reached=until)
    return until < head.offset


def _begin_anew(connection: sqlite3.Connection, head: LogHead) -> None:
    """Forget everything. Jobs are then counted in the order of their ids; what changes meanwhile is in the log."""
    for forget in _FORGET:
        forget.run(connection)
    _BEGIN_ANEW.run(connection, epoch=head.epoch, reached=head.offset)
    for kind in _PARENTS:
        _ALL_IDS[kind.name].run(connection)
        _count_parents(connection, kind)


def _count_next_jobs(connection: sqlite3.Connection, counted_to: str) -> None:
    _NEXT_JOBS.run(connection, after=counted_to)
    ((last,),) = _LAST_CHANGED.run(connection).fetchall()
    _count_jobs(connection)
    _COUNTED_TO.run(connection, counted_to=last)


def _count_events(connection: sqlite3.Connection, after: int, until: int) -> None:
    for kind in KINDS:
        prefix = len(kind.key("")) + 1  # SQL counts characters from 1
        _CHANGED_KEYS.run(connection, after=after, until=until, category=kind.category, prefix=prefix)
        if kind == JOBLOG:
            _count_jobs(connection)
        else:
            _count_parents(connection, kind)


def _count_jobs(connection: sqlite3.Connection) -> None:
    for statement in (*_TAKE_OFF, *_REPLACE, *_ADD, _DROP_EMPTY, *_REPLACE_STOPS, _FORGET_CHANGED):
        statement.run(connection)


def _count_parents(connection: sqlite3.Connection, kind: Kind) -> None:
    table, row = _PARENTS[kind]
    bodies = [body for _, body in _BODIES[kind.name].with_documents(connection)]
    _DELETE[table.name].run(connection)
    for body in bodies:
        _INSERT[table.name].run(connection, **row(orjson.loads(body)))
    _FORGET_CHANGED.run(connection)
