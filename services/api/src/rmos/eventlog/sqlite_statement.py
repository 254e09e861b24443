"""SQLAlchemy Core for the SQLite driver: compiled to text once, run on the driver's connection.

Building and compiling a statement costs ten times what a small read does, and the engine's own execution as much again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import orjson
from sqlalchemy import ColumnElement, LargeBinary, Select, Text, cast, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

_DIALECT: Final = sqlite.dialect(paramstyle="qmark")
_SEPARATOR: Final = "\x1f"
"""Between packed documents. JSON has no control characters outside of escapes, except tab and the line ends."""

AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"  # Any: a row of whatever columns


class Statement:
    """One statement as text. Parameters are given by name; a limit or literal in the statement keeps its value."""

    __slots__ = ("_fixed", "names", "text")

    def __init__(self, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        self.text = str(compiled)
        self._fixed = dict(compiled.params)
        self.names: tuple[str, ...] = tuple(getattr(compiled, "positiontup", None) or ())

    def run(self, connection: sqlite3.Connection, **values: object) -> sqlite3.Cursor:
        """Run it. The cursor must be read to its end, or the read transaction stays open."""
        fixed = self._fixed
        return connection.execute(self.text, [values[n] if n in values else fixed[n] for n in self.names])


class PackedSelect:
    """A SELECT whose rows come as one row, packed by the database.

    The driver gives the GIL up at each row and has to win it back: beside a busy event loop that can cost 5 ms, and
    500 rows were seen to take seconds. Packed, a read gives it up twice, however many rows it has.

    Args:
        query: Columns of text and integers (a float would lose its last digits), and at most one with a document.
        document: Name of the column that holds JSON as bytes, if there is one.
    """

    __slots__ = ("_has_document", "_statement")

    def __init__(self, query: AnySelect, *, document: str | None = None) -> None:
        inner = query.subquery()
        columns = [column for column in inner.c if column.name != document]
        packed: list[ColumnElement[Any]] = [func.json_group_array(func.json_array(*columns))]  # Any: texts and bytes
        if document is not None:
            packed.append(cast(func.group_concat(cast(inner.c[document], Text), _SEPARATOR), LargeBinary))
        self._has_document = document is not None
        self._statement = Statement(select(*packed))

    def rows(self, connection: sqlite3.Connection, **values: object) -> list[list[Any]]:  # Any: as the columns are
        """The rows without their document, in the order of the query where that has a limit."""
        ((text, *_),) = self._statement.run(connection, **values).fetchall()
        rows: list[list[Any]] = orjson.loads(text)  # Any: as above
        return rows

    def with_documents(self, connection: sqlite3.Connection, **values: object) -> list[tuple[list[Any], bytes]]:
        """The rows with their document, in the order of the query where that has a limit."""
        ((text, documents),) = self._statement.run(connection, **values).fetchall()
        rows = orjson.loads(text)
        return list(zip(rows, documents.split(_SEPARATOR.encode()), strict=True)) if rows else []


@contextmanager
def read_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything read within sees one state of the database."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
