"""Entities as CSV, for spreadsheets: one row an entity, one column a field, objects and lists as JSON text.

Rule 1: what `write_rows` writes, `read_rows` reads back as the same values.
Rule 2: no cell is a formula to a spreadsheet. A text that begins like one (`=`, `+`, `-`, `@`, tab, line break) gets
    the spreadsheets' own text mark in front, an apostrophe; so does one that begins with it. Reading removes it.
Rule 3: an empty cell says nothing: the field keeps its value, or gets its default in a new entity.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import orjson

from rmos.domain.entities import JsonObject, JsonValue, Kind
from rmos.domain.rules import RULES
from rmos.errors import BadRequestError, FieldError, InvalidError
from rmos.stores.schema import FIELDS

BYTE_ORDER_MARK: Final = "\ufeff"
"""First character of an exported file: Excel takes the rest for UTF-8 only then. Reading passes over it."""

COLUMNS: Final = {name: tuple(field.name for field in fields(rules.entity)) for name, rules in RULES.items()}
"""By name of the kind: every field of its document, in order."""

_JSON_COLUMNS: Final = frozenset({"geometry", "parameters", "results", "metadata", "strips", "materials"})
_TEXT_MARK: Final = "'"
_MARKED: Final = ("=", "+", "-", "@", "\t", "\r", "\n", _TEXT_MARK)

csv.field_size_limit(16 * 1024 * 1024)  # one cell may hold a whole geometry; the body's own limit is the bound


@dataclass(frozen=True, slots=True)
class Row:
    """One entity of an import, where it stood, and what already is wrong with it."""

    pointer: str
    place: str
    fields: JsonObject
    faults: tuple[FieldError, ...] = ()


def write_rows(kind: Kind, documents: Sequence[bytes], *, header: bool) -> bytes:
    """CSV text of encoded documents (RFC 4180, UTF-8); with `header` also the line of column names before them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    columns = COLUMNS[kind.name]
    if header:
        text.write(BYTE_ORDER_MARK)
        writer.writerow(columns)
    for body in documents:
        document = orjson.loads(body)
        writer.writerow([_cell(document[name]) for name in columns])
    return text.getvalue().encode()


def read_rows(kind: Kind, body: bytes) -> list[Row]:
    """The rows of a CSV text. Columns are separated by comma or, as some spreadsheets do, by semicolon.

    Raises:
        BadRequestError: not UTF-8, or not CSV.
        InvalidError: no header, or an unknown or repeated column.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequestError(f"the table is not UTF-8: byte {error.start}; save it as CSV UTF-8") from None
    first_line = text.partition("\n")[0]
    delimiter = ";" if first_line.count(";") > first_line.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = _checked_columns(kind, next(reader, []))
        return list(_rows(kind, reader, columns))
    except csv.Error as error:
        raise BadRequestError(f"line {reader.line_num} is not CSV: {error}") from None


def _checked_columns(kind: Kind, names: list[str]) -> list[str]:
    columns = [name.strip() for name in names]
    known = COLUMNS[kind.name]
    if not any(columns):
        raise InvalidError.at("/1", f"line 1 must name the columns; expected some of {', '.join(known)}")
    faults = [
        FieldError(f"/1/{name[:80]}", f"line 1: unknown column {name[:80]!r}; expected some of {', '.join(known)}")
        for name in columns
        if name not in known
    ]
    faults += [FieldError(f"/1/{name}", f"line 1: column {name} is there twice") for name in _repeated(columns)]
    if faults:
        raise InvalidError(faults[0].detail, faults)
    return columns


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _rows(kind: Kind, reader: Any, columns: list[str]) -> Iterator[Row]:  # Any: the csv module names no type of its own
    line = reader.line_num + 1
    for cells in reader:
        if any(cells):
            yield _row(kind, line, columns, cells)
        line = reader.line_num + 1


def _row(kind: Kind, line: int, columns: list[str], cells: list[str]) -> Row:
    pointer, place = f"/{line}", f"line {line}"
    if len(cells) > len(columns):
        fault = FieldError(pointer, f"has {len(cells)} cells for {len(columns)} columns")
        return Row(pointer, place, {}, (fault,))
    values: JsonObject = {}
    faults = []
    for name, cell in zip(columns, cells, strict=False):
        if cell != "":
            try:
                values[name] = _value(kind, name, cell)
            except ValueError as error:
                faults.append(FieldError(f"{pointer}/{name}", f"is not JSON: {error}"))
    return Row(pointer, place, values, tuple(faults))


def _cell(value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case str():
            return f"{_TEXT_MARK}{value}" if value == "" or value.startswith(_MARKED) else value
        case bool() | int() | float() | list() | dict():
            return orjson.dumps(value).decode()


def _value(kind: Kind, name: str, cell: str) -> JsonValue:
    """The value of a cell that is not empty; what is no number stays text, which the domain refuses with reason.

    Raises:
        ValueError: a cell that must be JSON is not.
    """
    if name in _JSON_COLUMNS:
        parsed: JsonValue = orjson.loads(cell)
        return parsed
    if FIELDS[kind.name].get(name) in (int, float):
        try:
            number = orjson.loads(cell)
        except ValueError:
            return cell
        return number if isinstance(number, int | float) else cell
    is_marked = cell == _TEXT_MARK or (cell.startswith(_TEXT_MARK) and cell[1:].startswith(_MARKED))
    return cell[1:] if is_marked else cell
