"""The event log in SQLite. Reads run on threads of their own, so the event loop goes on beside them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any, Final, Protocol, TypeVar

import orjson
from sqlalchemy import ColumnElement, Select, bindparam, func, select, union_all

from rmos.domain.events import Event
from rmos.domain.filters import BIT, EVERYTHING, EventFilter
from rmos.eventlog.base import PAGE_BYTES, PAGE_EVENTS, LogHead
from rmos.eventlog.schema import events, log_head
from rmos.eventlog.sqlite_statement import PackedSelect, Statement

T = TypeVar("T")

_SCAN_EVENTS: Final = 5000
"""Events looked at in one go for a channel: about 5 ms, so that no read transaction holds the WAL up."""


class Readers(Protocol):
    """Threads with a connection each, where reads run."""

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run `read` on one of the threads, without blocking the event loop."""
        ...


_HEAD: Final = Statement(select(log_head.c.epoch, log_head.c.head, log_head.c.oldest))
_EVENT: Final = select(
    events.c.data,
    events.c.type,
    events.c.timestamp,
    events.c.key,
    events.c.version,
    events.c.channels,
    events.c.actor,
    events.c.request_id,
    events.c.offset,
)
_NEXT: Final = _EVENT.where(events.c.offset > bindparam("after")).order_by(events.c.offset).limit(bindparam("limit"))
_READ: Final = PackedSelect(_NEXT, document="data")
_BY_OFFSET: Final = PackedSelect(
    _EVENT.where(events.c.offset.in_(select(func.json_each(bindparam("offsets")).table_valued("value").c.value))),
    document="data",
)
_HISTORY: Final = PackedSelect(
    _EVENT.where(events.c.key == bindparam("key")).order_by(events.c.offset.desc()).limit(bindparam("limit")),
    document="data",
)
_sizes: Final = (
    select(events.c.offset, func.length(events.c.data).label("size"))
    .where(events.c.offset > bindparam("after"))
    .order_by(events.c.offset)
    .limit(bindparam("limit"))
    .subquery()
)
_SIZE: Final = Statement(select(func.sum(_sizes.c.size)))
_before: Final = select(
    (func.sum(_sizes.c.size).over(order_by=_sizes.c.offset, rows=(None, 0)) - _sizes.c.size).label("size_before")
).subquery()
_FITTING: Final = Statement(
    select(func.count()).select_from(_before).where(_before.c.size_before <= bindparam("max_bytes"))
)
"""How many of the next events a page of `max_bytes` takes: those that begin before it is full."""


def read_head(connection: sqlite3.Connection) -> LogHead:
    """Where the log stands for this connection."""
    ((epoch, head, oldest),) = _HEAD.run(connection).fetchall()
    return LogHead(epoch, head, oldest)


def read_history(connection: sqlite3.Connection, key: str, limit: int) -> list[Event]:
    """The newest `limit` events of one key, oldest first."""
    return _events(_HISTORY.with_documents(connection, key=key, limit=limit))


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
            lambda connection: _events(_BY_OFFSET.with_documents(connection, offsets=offsets))
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
    """A page. Its size is looked at first: rarely are events so large that fewer than `limit` fit."""
    ((size,),) = _SIZE.run(connection, after=after, limit=limit).fetchall()
    if not size:
        return []
    if size > max_bytes:
        ((limit,),) = _FITTING.run(connection, after=after, limit=limit, max_bytes=max_bytes).fetchall()
    return _events(_READ.with_documents(connection, after=after, limit=limit))


def _scan(
    connection: sqlite3.Connection, *, mask: int, by_channel: bool, newest_first: bool, start: int, limit: int
) -> list[list[Any]]:  # Any: offset, category and channels
    """Offset, category and channels of the next events in these categories, without their data."""
    rows = _scan_statement(mask, by_channel, newest_first).rows(connection, start=start, limit=limit)
    return sorted(rows, reverse=newest_first)


@lru_cache
def _scan_statement(mask: int, by_channel: bool, newest_first: bool) -> PackedSelect:
    """One ordered range of the index for each category, merged: an IN would read and sort every matching event."""
    offset = events.c.offset
    beyond = offset < bindparam("start") if newest_first else offset > bindparam("start")
    order = offset.desc() if newest_first else offset

    def ordered(*conditions: ColumnElement[bool]) -> Select[int, str, str | None]:
        heard = (events.c.channels.is_not(None),) if by_channel else ()
        return (
            select(offset, events.c.category, events.c.channels)
            .where(beyond, *heard, *conditions)
            .order_by(order)
            .limit(bindparam("limit"))
        )

    if mask == EVERYTHING:
        return PackedSelect(ordered())
    parts = [ordered(events.c.category == name).subquery() for name, bit in BIT.items() if bit & mask]
    merged = union_all(*(select(part) for part in parts)).subquery()
    by_offset = merged.c.offset.desc() if newest_first else merged.c.offset
    return PackedSelect(select(merged).order_by(by_offset).limit(bindparam("limit")))


def _channels(text: str | None) -> tuple[str, ...]:
    return tuple(orjson.loads(text)) if text else ()


def _events(rows: Iterable[tuple[list[Any], bytes]]) -> list[Event]:  # Any: as the columns are
    """In order of their offsets."""
    found = [
        Event(type_, data, timestamp, key, version, _channels(channels), actor, request_id, offset)
        for (type_, timestamp, key, version, channels, actor, request_id, offset), data in rows
    ]
    found.sort(key=lambda event: event.offset)
    return found
