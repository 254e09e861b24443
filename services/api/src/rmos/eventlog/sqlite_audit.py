"""The log in SQLite for auditors. Nothing is taken for granted: rows are read with the types they really have."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import ColumnElement, bindparam, case, func, null, select

from rmos.clock import Timestamp
from rmos.domain.events import Event
from rmos.eventlog.audit import AuditPage, Ends, Epoch, Link, Unreadable
from rmos.eventlog.chain import HASH_BYTES
from rmos.eventlog.schema import epochs, events, log_head
from rmos.eventlog.sqlite import Readers, fitting
from rmos.eventlog.sqlite_statement import PackedSelect, Statement

T = TypeVar("T")

PAGE_EVENTS: Final = 250
PAGE_BYTES: Final = 512 * 1024
"""A page ends at whichever comes first: two or three milliseconds of hashing."""
_BEFORE_ALL: Final = -(2**63)


def _as_is(column: ColumnElement[Any]) -> ColumnElement[Any]:  # Any: of whatever type
    """First letter of the type and the bytes in hexadecimal, NULL for NULL.

    Exact for whatever somebody has put there; JSON would refuse a blob and cut a text at a NUL.
    """
    kind = func.typeof(column)
    return case((kind == "null", null()), else_=func.substr(kind, 1, 1).concat(func.hex(column)))


_TEXT, _INTEGER, _BLOB = "t", "i", "b"
_COLUMNS: Final = {
    "type": _TEXT,
    "category": _TEXT,
    "key": _TEXT,
    "version": _INTEGER,
    "channels": _TEXT,
    "actor": _TEXT,
    "request_id": _TEXT,
    "cause": _TEXT,
    "timestamp": _TEXT,
    "data": _BLOB,
    "hash": _BLOB,
}
_ROWS: Final = PackedSelect(
    select(events.c.offset, *(_as_is(events.c[name]).label(name) for name in _COLUMNS))
    .where(events.c.offset > bindparam("after"))
    .order_by(events.c.offset)
    .limit(bindparam("limit"))
)
_NEWEST: Final = Statement(select(func.max(events.c.offset)))
_ENDS: Final = Statement(
    select(log_head.c.epoch, log_head.c.oldest, log_head.c.anchor, log_head.c.head, log_head.c.hash)
)
_EPOCHS: Final = Statement(
    select(epochs.c.epoch, epochs.c.from_offset, epochs.c.reason, epochs.c.time).order_by(
        epochs.c.from_offset, epochs.c.time
    )
)
_TIME: Final = Statement(select(events.c.timestamp).where(events.c.offset == bindparam("wanted")))


def read_ends(connection: sqlite3.Connection) -> Ends:
    """Where the log begins and ends for this connection."""
    (row,) = _ENDS.run(connection).fetchall()
    return Ends(*row)


def read_epochs(connection: sqlite3.Connection) -> list[Epoch]:
    """Every life of the log, oldest first."""
    return [Epoch(*row) for row in _EPOCHS.run(connection).fetchall()]


def read_page(connection: sqlite3.Connection, after: int | None) -> AuditPage:
    """The next rows with the ends of the log, of one moment. The connection must be in no transaction."""
    start = _BEFORE_ALL if after is None else after
    connection.execute("BEGIN")
    try:
        limit = fitting(connection, after=start, limit=PAGE_EVENTS, max_bytes=PAGE_BYTES)
        rows = _ROWS.rows(connection, after=start, limit=limit)
        ((newest,),) = _NEWEST.run(connection).fetchall()
        ends = read_ends(connection)
    finally:
        connection.execute("ROLLBACK")
    return AuditPage(ends, [_row(*row) for row in rows], is_last=not rows or rows[-1][0] == newest)


def offset_at(connection: sqlite3.Connection, time: Timestamp) -> int:
    """The first kept offset written at `time` or later (`eventlog.audit.AuditLog.offset_at`)."""
    connection.execute("BEGIN")
    try:
        ends = read_ends(connection)
        low, high = ends.oldest, ends.head + 1
        while low < high:
            middle = (low + high) // 2
            found = _TIME.run(connection, wanted=middle).fetchall()
            if found and found[0][0] >= time:
                high = middle
            else:
                low = middle + 1
        return low
    finally:
        connection.execute("ROLLBACK")


class SqliteAuditLog:
    """`eventlog.audit.AuditLog` on a pool of readers."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def read(self, after: int | None, work: Callable[[AuditPage], T]) -> T:
        """Run `work` on the next page, on a reader's thread."""
        return await self._readers.run(lambda connection: work(read_page(connection, after)))

    async def ends(self) -> Ends:
        """Where the log begins and ends now."""
        return await self._readers.run(read_ends)

    async def epochs(self) -> list[Epoch]:
        """Every life of the log, oldest first."""
        return await self._readers.run(read_epochs)

    async def offset_at(self, time: Timestamp) -> int:
        """The first kept offset written at `time` or later."""
        return await self._readers.run(lambda connection: offset_at(connection, time))


def _row(offset: int, *columns: str | None) -> Link | Unreadable:
    """The row as an event, or why it is none."""
    try:
        values = {
            name: _value(name, packed) for name, packed in zip(_COLUMNS, columns, strict=True) if packed is not None
        }
        channels = _channels(values.pop("channels", None))
        category, event_hash = values.pop("category"), values.pop("hash")
        event = Event(**values, channels=channels, offset=offset)
    except (ValueError, TypeError, KeyError) as error:
        return Unreadable(offset, str(error) if isinstance(error, ValueError) else "a part of it is missing")
    if category != event.type.partition(":")[0]:
        return Unreadable(offset, "its category is not that of its type")
    if len(event_hash) != HASH_BYTES:
        return Unreadable(offset, "its hash was changed")
    return Link(event, event_hash)


def _value(name: str, packed: str) -> Any:  # Any: text, integer or bytes, as the column should have
    if packed[0] != _COLUMNS[name]:
        raise ValueError(f"its {name} has another type than it was written with")
    content = bytes.fromhex(packed[1:])
    if packed[0] == _BLOB:
        return content
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"its {name} is no text") from None
    return int(text) if packed[0] == _INTEGER else text


def _channels(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    # Exactly as it was written, and not only with the same meaning.
    if not isinstance(found, list) or not found or orjson.dumps(found).decode() != text:
        raise ValueError("its channels were changed")
    return tuple(found)
