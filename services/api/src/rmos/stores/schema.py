"""Tables of the stores, the same on every engine, and which fields of an entity can be searched.

An entity is a row: its searchable fields as typed columns, and `body`, the document as it was encoded once. A list
answers with bodies; the columns only find and order them.

Rule 1: `<field>_folded` and `search_text` are case-folded in Python, because databases disagree about case outside
ASCII. They serve comparison without case, LIKE and free text.
Rule 2: a column that the document may leave out is nullable; in every order NULL comes last.
Rule 3: what is no field of the document but follows from it is computed by the database, and is never written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import Column, Computed, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from rmos.domain.entities import JOBLOG, KINDS, PATTERN, STRIP_FAMILY, JsonValue, Kind, Revision
from rmos.eventlog.schema import metadata

FieldType: TypeAlias = "type[str] | type[int] | type[float]"
Scalar: TypeAlias = "str | int | float | None"

_LARGEST_INTEGER: Final = 2**63 - 1


def _entity_table(
    name: str, *fields: Column[object], indexes: tuple[tuple[str, ...], ...], orders: tuple[str, ...] = ()
) -> Table:
    """A table with what every entity has around its own fields. Filters are indexed together with the default order.

    Rows that leave a field out are not in its index: nobody looks for them, and a usual job leaves six out. Of `orders`
    they are, because a whole list is sorted by these.
    """
    nullable = {column.name for column in fields if column.nullable}

    def index(*columns: str) -> Index:
        given = text(f"{columns[0]} IS NOT NULL") if columns[0] in nullable else None
        return Index(f"ix_{name}_{'_'.join(columns)}", *columns, sqlite_where=given)

    return Table(
        name,
        metadata,
        Column("id", Text, primary_key=True),
        *fields,
        Column("version", Integer, nullable=False),
        Column("created_at", Text, nullable=False),
        Column("updated_at", Text, nullable=False),
        Column("search_text", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        *(index(*columns) for columns in (("created_at", "id"), *indexes)),
        *(Index(f"ix_{name}_{column}_id", column, "id") for column in orders),
    )


SUPPLIER: Final = (
    "CASE json_type(CAST(body AS TEXT), '$.metadata.supplier') WHEN 'text' "
    "THEN nullif(trim(json_extract(CAST(body AS TEXT), '$.metadata.supplier')), '') END"
)
"""Whom a material is bought from, without blanks around it; as `analytics.extraction` counts it."""
OUTCOME_AT: Final = "CASE WHEN status IN ('completed', 'failed') THEN coalesce(end_time, start_time, created_at) END"
"""When figures count a completed or failed job: at its end; without one at its start, or when it was created."""

strip_families: Final = _entity_table(
    "strip_families",
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False),
    Column("strip_width_mm", Float, nullable=False),
    Column("strip_thickness_mm", Float, nullable=False),
    Column("material_type", Text, nullable=False),
    Column("material_type_folded", Text, nullable=False),
    Column("lane", Text),
    Column("min_stock_mm", Float),
    Column("supplier", Text, Computed(SUPPLIER, persisted=False)),
    indexes=(("name_folded",), ("material_type_folded", "created_at"), ("lane", "created_at")),
)

patterns: Final = _entity_table(
    "patterns",
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False),
    Column("ring_count", Integer, nullable=False),
    Column("pattern_type", Text, nullable=False),
    Column("strip_family_id", Text, ForeignKey("strip_families.id")),
    indexes=(
        ("name_folded",),
        ("ring_count", "created_at"),
        ("pattern_type", "created_at"),
        ("strip_family_id", "created_at"),
    ),
)

joblogs: Final = _entity_table(
    "joblogs",
    Column("job_type", Text, nullable=False),
    Column("pattern_id", Text, ForeignKey("patterns.id")),
    Column("strip_family_id", Text, ForeignKey("strip_families.id")),
    Column("status", Text, nullable=False),
    Column("start_time", Text),
    Column("end_time", Text),
    Column("duration_seconds", Float),
    Column("machine_id", Text),
    Column("project_id", Text),
    Column("operator", Text),
    Column("progress", Float),
    Column("reason", Text),
    Column("good_qty", Float),
    Column("scrap_qty", Float),
    Column("rework_qty", Float),
    Column("outcome_at", Text, Computed(OUTCOME_AT, persisted=False)),
    indexes=(
        ("status", "created_at"),
        ("job_type", "created_at"),
        ("pattern_id", "created_at"),
        ("strip_family_id", "created_at"),
        ("machine_id", "created_at"),
        ("project_id", "created_at"),
        ("operator", "created_at"),
        ("reason", "created_at"),
        # What a chart leads to: the jobs that it counts on these days.
        ("outcome_at", "id"),
    ),
    orders=("end_time",),
)

answers: Final = Table(
    "answers",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False, comment="JSON list of pairs"),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Text, nullable=False),
    Index("ix_answers_created_at", "created_at"),
)

TABLE: Final[Mapping[str, Table]] = {
    PATTERN.name: patterns,
    JOBLOG.name: joblogs,
    STRIP_FAMILY.name: strip_families,
}
"""Table by name of the kind."""

PARENTS_FIRST: Final = (STRIP_FAMILY, PATTERN, JOBLOG)
"""The kinds in an order in which rows can be inserted without breaking a foreign key."""

REFERENCES: Final[Mapping[str, Mapping[str, Kind]]] = {
    PATTERN.name: {"strip_family_id": STRIP_FAMILY},
    JOBLOG.name: {"pattern_id": PATTERN, "strip_family_id": STRIP_FAMILY},
    STRIP_FAMILY.name: {},
}
"""Fields of a kind that name an entity of another kind."""

IGNORES_CASE: Final = frozenset({"material_type"})
"""Fields whose exact filter compares without case."""

_FOLDED: Final = ("name", "material_type")
"""Fields with a case-folded twin."""
_INTERNAL: Final = frozenset({"search_text", "body", *(f"{name}_folded" for name in _FOLDED)})
_TYPE: Final[Mapping[type, FieldType]] = {Text: str, Integer: int, Float: float}

FIELDS: Final[Mapping[str, Mapping[str, FieldType]]] = {
    kind.name: {
        column.name: _TYPE[type(column.type)] for column in TABLE[kind.name].columns if column.name not in _INTERNAL
    }
    for kind in KINDS
}
"""By name of the kind: every field that may be filtered and sorted by, and the Python type of its values."""

COMPUTED: Final[Mapping[str, tuple[str, ...]]] = {
    kind.name: tuple(column.name for column in TABLE[kind.name].columns if column.computed is not None)
    for kind in KINDS
}
"""By name of the kind: those of them that are no fields of the document."""

FREE_TEXT: Final[Mapping[str, tuple[str, ...]]] = {
    PATTERN.name: ("id", "name", "pattern_type", "strip_family_id"),
    JOBLOG.name: (
        "id",
        "job_type",
        "status",
        "pattern_id",
        "strip_family_id",
        "machine_id",
        "project_id",
        "operator",
        "reason",
    ),
    STRIP_FAMILY.name: ("id", "name", "material_type", "lane"),
}
"""By name of the kind: the fields that free text is looked for in."""


def checked(field: str, expected: FieldType, value: JsonValue) -> Scalar:
    """The value as its column takes it; an integer is fine where a float is expected.

    Raises:
        TypeError: a value of another type.
        OverflowError: an integer over 64 bits, or too large for a float.
    """
    if value is None or (expected is str and isinstance(value, str)):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if expected is float:
            return float(value)
        if expected is int and isinstance(value, int):
            if abs(value) > _LARGEST_INTEGER:
                raise OverflowError(f"{field} {value} does not fit 64 bits")
            return value
    raise TypeError(f"{field} must be {expected.__name__}, not {type(value).__name__}")


def fold(text: str) -> str:
    """Text in the form in which it is compared without case."""
    return text.casefold()


@dataclass(frozen=True, slots=True)
class RowFormat:
    """How an entity of one kind becomes a row: the values in the order of the table's columns."""

    table: Table
    free_text: tuple[str, ...]
    columns: tuple[tuple[str, FieldType, bool], ...]
    """Name, type and nullable of the columns that come from the document."""

    @classmethod
    def of(cls, kind: Kind) -> RowFormat:
        """The format of one kind."""
        table = TABLE[kind.name]
        columns = tuple(
            (name, type_, bool(table.c[name].nullable))
            for name, type_ in FIELDS[kind.name].items()
            if name not in ("id", "version", *COMPUTED[kind.name])
        )
        return cls(table, FREE_TEXT[kind.name], columns)

    def row(self, revision: Revision, fields: Mapping[str, JsonValue]) -> dict[str, Scalar | bytes]:
        """Every column of the row. Keys of `fields` that are no columns are passed over, so a whole document will do.

        Raises:
            TypeError, OverflowError: as `checked`; also None where the column is not nullable.
        """
        row: dict[str, Scalar | bytes] = {"id": revision.id, "version": revision.version, "body": revision.body}
        for name, type_, nullable in self.columns:
            value = fields.get(name)
            # Most fields are left out, or are text.
            row[name] = value if value is None or (type_ is str and type(value) is str) else checked(name, type_, value)
            if value is None and not nullable:
                raise TypeError(f"{name} of {revision.kind.key(revision.id)} must not be null")
        for name in _FOLDED:
            if isinstance(given := row.get(name), str):
                row[f"{name}_folded"] = fold(given)
        row["search_text"] = fold("\n".join(text for name in self.free_text if isinstance(text := row[name], str)))
        return row


ROW_FORMAT: Final[Mapping[str, RowFormat]] = {kind.name: RowFormat.of(kind) for kind in KINDS}
