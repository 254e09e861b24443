"""Who may come in: reads and writes of its few rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from rmos.domain.access import AccessBook, AccessRecord, Address, ApiKey, Session, User
from rmos.eventlog.sqlite_statement import Statement
from rmos.stores.access_schema import ACCESS_TABLE, access_head, record_of, row_of

_KIND: Final[Mapping[str, type[AccessRecord]]] = {"user": User, "key": ApiKey, "session": Session}
_READ: Final = {kind: Statement(select(*table.c)) for kind, table in ACCESS_TABLE.items()}
_KEY: Final = {kind: next(iter(table.primary_key.columns)) for kind, table in ACCESS_TABLE.items()}
_WRITE: Final = {
    kind: Statement(insert(table).values({c: bindparam(c.name) for c in table.c}).prefix_with("OR REPLACE"))
    for kind, table in ACCESS_TABLE.items()
}
_DELETE: Final = {
    kind: Statement(delete(table).where(_KEY[kind] == bindparam("address"))) for kind, table in ACCESS_TABLE.items()
}
_VERSION: Final = Statement(select(access_head.c.version))
_RAISE_VERSION: Final = Statement(update(access_head).values(version=access_head.c.version + 1))


def version(connection: sqlite3.Connection) -> int:
    """The number that rises with every change."""
    ((found,),) = _VERSION.run(connection).fetchall()
    return int(found)


def read_book(connection: sqlite3.Connection) -> AccessBook:
    """Everybody who may come in. The caller holds a transaction, or the records may be of different moments."""
    records = [record_of(kind, row) for kind, read in _READ.items() for row in read.run(connection).fetchall()]
    return AccessBook(version(connection), records)


def write(connection: sqlite3.Connection, changes: Mapping[Address, AccessRecord | None]) -> None:
    """Write the changes, None for a record that is removed."""
    if not changes:
        return
    for (kind, key), record in changes.items():
        if record is None:
            _DELETE[_KIND[kind]].run(connection, address=key)
        else:
            statement = _WRITE[type(record)]
            columns = (column.name for column in ACCESS_TABLE[type(record)].columns)
            statement.run(connection, **dict(zip(columns, row_of(record), strict=True)))
    _RAISE_VERSION.run(connection)
