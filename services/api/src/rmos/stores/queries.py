"""What is asked of the stores, as SQLAlchemy Core: the same statements on every engine.

Values are always bound; a statement depends on the `Shape` of a query alone, so an engine can compile each shape once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, or_, select

from rmos.analytics.describe import success_rate
from rmos.domain.entities import JOBLOG, KINDS, PATTERN, STRIP_FAMILY, JsonValue, Kind
from rmos.domain.jobs import COMPLETED, FAILED, PENDING, RUNNING
from rmos.errors import InvalidError
from rmos.stores.base import ListQuery
from rmos.stores.paging import Order, Place, complete_order
from rmos.stores.schema import FIELDS, IGNORES_CASE, TABLE, Scalar, checked, fold, joblogs, patterns, strip_families

Query: TypeAlias = "Select[*tuple[Any, ...]]"  # Any: a row of whatever columns

MAX_PATTERN: Final = 1000
"""Longest free text or LIKE pattern in characters; names have at most 200."""
MAX_OFFSET: Final = 2**63 - 1
MAX_RUNNING: Final = 100
"""Running jobs in an overview; a workshop has a handful of machines."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A query without its values.

    Attributes:
        equal: Fields with an exact value; those in `null` must be NULL.
        at_least, below: Fields with a bound.
        after: None for a page that continues none; else for each field of the order whether its value is NULL.
    """

    kind: str
    equal: tuple[str, ...]
    null: tuple[str, ...]
    at_least: tuple[str, ...]
    below: tuple[str, ...]
    name_like: bool
    text: bool
    order: Order
    after: tuple[bool, ...] | None


def read_query(kind: Kind, query: ListQuery) -> tuple[Shape, dict[str, Scalar]]:
    """The shape of the query and the values for its statement; one row more than the page is asked for.

    Raises:
        InvalidError: unknown field, value of a wrong type, malformed `after`, too long a pattern.
    """
    order = complete_order(kind, query.sort)
    place = Place.parse(query.after, kind, order) if query.after is not None else None
    equal = {field: _exact(kind, field, value) for field, value in query.where.items()}
    if query.name_like is not None and "name" not in FIELDS[kind.name]:
        raise InvalidError.at("/name", f"a {kind.label} has no name")
    shape = Shape(
        kind.name,
        tuple(sorted(field for field, value in equal.items() if value is not None)),
        tuple(sorted(field for field, value in equal.items() if value is None)),
        tuple(sorted(query.at_least)),
        tuple(sorted(query.below)),
        query.name_like is not None,
        query.text is not None,
        order,
        tuple(value is None for value in place.values) if place else None,
    )
    values: dict[str, Scalar] = {f"where_{field}": value for field, value in equal.items() if value is not None}
    values |= {f"at_least_{field}": _exact(kind, field, bound) for field, bound in query.at_least.items()}
    values |= {f"below_{field}": _exact(kind, field, bound) for field, bound in query.below.items()}
    if query.name_like is not None:
        values["name_like"] = fold(_short("/name", query.name_like))
    if query.text is not None:
        values["text"] = f"%{_literal(fold(_short('/q', query.text)))}%"
    if place:
        values |= {f"after_{field}": value for (field, _), value in zip(order, place.values, strict=True)}
    if not 0 <= query.offset <= MAX_OFFSET:
        raise InvalidError.at("/offset", f"{query.offset} is out of range; expected 0 to {MAX_OFFSET}")
    return shape, values | {"limit": query.limit + 1, "offset": 0 if place else query.offset}


def page_statement(shape: Shape) -> Query:
    """Id and body of each row of the page."""
    table = TABLE[shape.kind]
    return (
        select(table.c.id, table.c.body)
        .where(*_conditions(shape), *_beyond(shape))
        .order_by(*(_directed(shape.kind, field, down) for field, down in shape.order))
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
    )


def place_statement(shape: Shape) -> Query:
    """The values of the order of one row, for its `Place`."""
    table = TABLE[shape.kind]
    columns = [_sort_column(shape.kind, field) for field, _ in shape.order]
    return select(*columns).where(table.c.id == bindparam("id"))


def total_statement(shape: Shape) -> Select[int]:
    """How many rows match in all."""
    return select(func.count()).select_from(TABLE[shape.kind]).where(*_conditions(shape))


def for_total(shape: Shape) -> Shape:
    """The part of the shape that the total depends on."""
    return replace(shape, order=(), after=None)


def for_place(shape: Shape) -> Shape:
    """The part of the shape that a place depends on."""
    return Shape(shape.kind, (), (), (), (), name_like=False, text=False, order=shape.order, after=None)


def _exact(kind: Kind, field: str, value: JsonValue) -> Scalar:
    expected = FIELDS[kind.name].get(field)
    if expected is None:
        known = ", ".join(FIELDS[kind.name])
        raise InvalidError.at(f"/{field}", f"unknown field {field!r}; expected one of {known}")
    try:
        scalar = checked(field, expected, value)
    except (TypeError, OverflowError) as error:
        raise InvalidError.at(f"/{field}", str(error)) from error
    return fold(scalar) if field in IGNORES_CASE and isinstance(scalar, str) else scalar


def _short(pointer: str, text: str) -> str:
    if len(text) > MAX_PATTERN:
        raise InvalidError.at(pointer, f"{len(text)} characters; at most {MAX_PATTERN} are accepted")
    return text


def _literal(text: str) -> str:
    """The text with nothing special left in it for LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _column(kind: str, field: str, *, folded: bool) -> ColumnElement[object]:
    table = TABLE[kind]
    return table.c[f"{field}_folded"] if folded and f"{field}_folded" in table.c else table.c[field]


def _sort_column(kind: str, field: str) -> ColumnElement[object]:
    """Text with a folded twin is sorted by that, as people expect of names."""
    return _column(kind, field, folded=True)


def _is_nullable(kind: str, field: str) -> bool:
    return bool(TABLE[kind].c[field].nullable)


def _directed(kind: str, field: str, descending: bool) -> ColumnElement[object]:
    column = _sort_column(kind, field)
    directed = column.desc() if descending else column.asc()
    # Said of a column that has none, it would keep the planner from reading along an index.
    return directed.nulls_last() if _is_nullable(kind, field) else directed


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for field in shape.equal:
        conditions.append(_column(shape.kind, field, folded=field in IGNORES_CASE) == bindparam(f"where_{field}"))
    for field in shape.null:
        conditions.append(TABLE[shape.kind].c[field].is_(None))
    for field in shape.at_least:
        conditions.append(TABLE[shape.kind].c[field] >= bindparam(f"at_least_{field}"))
    for field in shape.below:
        conditions.append(TABLE[shape.kind].c[field] < bindparam(f"below_{field}"))
    if shape.name_like:
        conditions.append(TABLE[shape.kind].c.name_folded.like(bindparam("name_like"), escape="\\"))
    if shape.text:
        conditions.append(TABLE[shape.kind].c.search_text.like(bindparam("text"), escape="\\"))
    return conditions


def _beyond(shape: Shape) -> list[ColumnElement[bool]]:
    """Rows after the place: greater in the first field, or equal there and greater in the second, and so on."""
    if shape.after is None:
        return []
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for (field, descending), is_null in zip(shape.order, shape.after, strict=True):
        column = _sort_column(shape.kind, field)
        value: BindParameter[Any] = bindparam(f"after_{field}")  # Any: of the type of the column
        if not is_null:  # nothing comes after NULL
            later = column < value if descending else column > value
            if _is_nullable(shape.kind, field):
                later = or_(later, column.is_(None))
            alternatives.append(and_(*equal, later))
        equal.append(column.is_(None) if is_null else column == value)
    conditions = [or_(*alternatives)]
    first, descending = shape.order[0]
    if not _is_nullable(shape.kind, first):
        # Follows from the rest, but tells the planner where in the index to begin.
        column = _sort_column(shape.kind, first)
        limit: BindParameter[Any] = bindparam(f"after_{first}")  # Any: of the type of the column
        conditions.append(column <= limit if descending else column >= limit)
    return conditions


PATTERN_STATISTICS: Final = select(
    func.count().label("total_count"),
    func.avg(patterns.c.ring_count).label("avg_ring_count"),
    func.min(patterns.c.ring_count).label("min_ring_count"),
    func.max(patterns.c.ring_count).label("max_ring_count"),
    func.count(patterns.c.strip_family_id.distinct()).label("unique_families"),
).select_from(patterns)

JOBLOG_STATISTICS: Final = select(
    func.count().label("total_count"),
    *(
        func.count().filter(joblogs.c.status == status).label(f"{status}_count")
        for status in (COMPLETED, FAILED, RUNNING, PENDING)
    ),
    func.avg(joblogs.c.duration_seconds).label("avg_duration"),
    func.count(joblogs.c.job_type.distinct()).label("unique_job_types"),
    func.count(joblogs.c.pattern_id.distinct()).label("unique_patterns"),
).select_from(joblogs)

STRIP_FAMILY_STATISTICS: Final = select(
    func.count().label("total_count"),
    func.count(strip_families.c.material_type_folded.distinct()).label("unique_materials"),
    func.avg(strip_families.c.strip_width_mm).label("avg_width_mm"),
    func.min(strip_families.c.strip_width_mm).label("min_width_mm"),
    func.max(strip_families.c.strip_width_mm).label("max_width_mm"),
    func.avg(strip_families.c.strip_thickness_mm).label("avg_thickness_mm"),
).select_from(strip_families)

MATERIAL_COUNTS: Final = (
    select(func.min(strip_families.c.material_type), func.count())
    .group_by(strip_families.c.material_type_folded)
    .order_by(strip_families.c.material_type_folded)
)
"""Materials are one when they differ in case only; they go by the spelling that sorts first."""

STATISTICS: Final[Mapping[str, Query]] = {
    PATTERN.name: PATTERN_STATISTICS,
    JOBLOG.name: JOBLOG_STATISTICS,
    STRIP_FAMILY.name: STRIP_FAMILY_STATISTICS,
}
"""By name of the kind: one row, whose labels are the published fields."""

JOBS_BY_STATUS: Final = select(joblogs.c.status, func.count()).group_by(joblogs.c.status)
RUNNING_JOBS: Final = (
    select(joblogs.c.body)
    .where(joblogs.c.status == RUNNING)
    .order_by(joblogs.c.start_time.asc().nulls_last(), joblogs.c.id)
    .limit(MAX_RUNNING)
)
COUNT: Final = {kind.name: select(func.count()).select_from(TABLE[kind.name]) for kind in KINDS}


def statistics(kind: Kind, row: Sequence[JsonValue], materials: Sequence[tuple[str, int]]) -> dict[str, JsonValue]:
    """The published statistics, from the row of `STATISTICS` and, for strip families, from `MATERIAL_COUNTS`."""
    figures: dict[str, JsonValue] = dict(zip(STATISTICS[kind.name].selected_columns.keys(), row, strict=True))
    if kind == JOBLOG:
        completed, failed = (int(str(figures[f"{status}_count"])) for status in (COMPLETED, FAILED))
        figures["success_rate"] = success_rate(completed, failed)
    if kind == STRIP_FAMILY:
        figures["material_counts"] = dict(materials)
    return figures
