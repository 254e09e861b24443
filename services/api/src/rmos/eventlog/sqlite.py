"""The event log in SQLite: statements, and reads on threads of their own.

`Statement` is SQLAlchemy Core compiled to text once and run on the driver's connection: building and compiling a
statement costs ten times what a small read does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Final, Protocol, TypeAlias, TypeVar

import orjson
from sqlalchemy import ColumnElement, Select, bindparam, func, select, union_all
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from rmos.domain.events import Event
from rmos.domain.filters import BIT, EVERYTHING, EventFilter
from rmos.eventlog.base import PAGE_BYTES, PAGE_EVENTS, LogHead
from rmos.eventlog.schema import events, log_head

T = TypeVar("T")
_Row: TypeAlias = tuple[str, bytes, str, str | None, int | None, str | None, str, str | None, int]

_DIALECT: Final = sqlite.dialect(paramstyle="qmark")
_SCAN_EVENTS: Final = 5000
"""Events looked at in one go for a channel: about 5 ms, so that no read transaction holds the WAL up."""


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


class Readers(Protocol):
    """Threads with a connection each, where reads run."""

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run `read` on one of the threads, without blocking the event loop."""
        ...


_HEAD: Final = Statement(select(log_head.c.epoch, log_head.c.head, log_head.c.oldest))
_COLUMNS: Final = (
    events.c.type,
    events.c.data,
    events.c.timestamp,
    events.c.key,
    events.c.version,
    events.c.channels,
    events.c.actor,
    events.c.request_id,
    events.c.offset,
)
_READ: Final = Statement(
    select(*_COLUMNS).where(events.c.offset > bindparam("after")).order_by(events.c.offset).limit(bindparam("limit"))
)
_BY_OFFSET: Final = Statement(
    select(*_COLUMNS)
    .where(events.c.offset.in_(select(func.json_each(bindparam("offsets")).table_valued("value").c.value)))
    .order_by(events.c.offset)
)
_HISTORY: Final = Statement(
    select(*_COLUMNS).where(events.c.key == bindparam("key")).order_by(events.c.offset.desc()).limit(bindparam("limit"))
)


def read_head(connection: sqlite3.Connection) -> LogHead:
    """Where the log stands for this connection."""
    ((epoch, head, oldest),) = _HEAD.run(connection).fetchall()
    return LogHead(epoch, head, oldest)


def read_history(connection: sqlite3.Connection, key: str, limit: int) -> list[Event]:
    """The newest `limit` events of one key, oldest first."""
    return _events(reversed(_HISTORY.run(connection, key=key, limit=limit).fetchall()))


class SqliteEventLog:
    """Reads of the log. The tailer's reads have a thread to themselves, so that no search can hold up the live stream.

    Every method may be called concurrently from the event loop.
    """

    def __init__(self, live: Readers, others: Readers) -> None:
        self._live = live
        self._others = others

    async def head(self) -> LogHead:
        """Where the log stands now."""
        return await self._live.run(read_head)

    async def read(self, after: int, *, limit: int = PAGE_EVENTS, max_bytes: int = PAGE_BYTES) -> list[Event]:
        """Events with offset > `after`, oldest first, at least one if there is one."""
        return await self._live.run(lambda connection: _read(connection, after, limit, max_bytes))

    async def read_matching(self, after: int, wanted: EventFilter, *, limit: int) -> list[Event]:
        """As `read`, but only events that match."""
        offsets = orjson.dumps(await self._find(wanted, after, limit, newest_first=False)).decode()
        return await self._others.run(
            lambda connection: _events(_BY_OFFSET.run(connection, offsets=offsets).fetchall())
        )

    async def offset_of_last(self, count: int, wanted: EventFilter) -> int:
        """The `after` from which the `count` newest matching events follow; the head when none matches."""
        head = await self.head()
        found = await self._find(wanted, head.offset + 1, count, newest_first=True)
        return found[-1] - 1 if found else head.offset

    async def _find(self, wanted: EventFilter, start: int, count: int, *, newest_first: bool) -> list[int]:
        """Offsets of the first `count` matching events beyond `start`; for channels, in several short reads."""
        by_channel = wanted.channels is not None
        scan = partial(_scan, mask=wanted.mask, by_channel=by_channel, newest_first=newest_first)
        chunk = _SCAN_EVENTS if by_channel else count
        found: list[int] = []
        while wanted.mask and len(found) < count:
            seen = await self._others.run(partial(scan, start=start, limit=chunk))
            found += [offset for offset, category, channels in seen if wanted.matches(category, _channels(channels))]
            if len(seen) < chunk:
                break
            start = seen[-1][0]
        return found[:count]


def _read(connection: sqlite3.Connection, after: int, limit: int, max_bytes: int) -> list[Event]:
    rows = []
    size = 0
    cursor = _READ.run(connection, after=after, limit=limit)
    for row in cursor:
        rows.append(row)
        size += len(row[1])
        if size > max_bytes:
            break
    cursor.close()
    return _events(rows)


def _scan(
    connection: sqlite3.Connection, *, mask: int, by_channel: bool, newest_first: bool, start: int, limit: int
) -> list[tuple[int, str, str | None]]:
    """Offset, category and channels of the next events in these categories, without their data."""
    return _scan_statement(mask, by_channel, newest_first).run(connection, start=start, limit=limit).fetchall()


@lru_cache
def _scan_statement(mask: int, by_channel: bool, newest_first: bool) -> Statement:
    """One ordered range of the index for each category, merged: an IN would read and sort every matching event."""
    offset = events.c.offset
    beyond = offset < bindparam("start") if newest_first else offset > bindparam("start")
    order = offset.desc() if newest_first else offset

    def ordered(*conditions: ColumnElement[bool]) -> Select[tuple[int, str, str | None]]:
        heard = (events.c.channels.is_not(None),) if by_channel else ()
        return (
            select(offset, events.c.category, events.c.channels)
            .where(beyond, *heard, *conditions)
            .order_by(order)
            .limit(bindparam("limit"))
        )

    if mask == EVERYTHING:
        return Statement(ordered())
    parts = [ordered(events.c.category == name).subquery() for name, bit in BIT.items() if bit & mask]
    merged = union_all(*(select(part) for part in parts)).subquery()
    by_offset = merged.c.offset.desc() if newest_first else merged.c.offset
    return Statement(select(merged).order_by(by_offset).limit(bindparam("limit")))


def _channels(text: str | None) -> tuple[str, ...]:
    return tuple(orjson.loads(text)) if text else ()


def _events(rows: Iterable[_Row]) -> list[Event]:
    return [
        Event(type_, data, timestamp, key, version, _channels(channels), actor, request_id, offset)
        for type_, data, timestamp, key, version, channels, actor, request_id, offset in rows
    ]
