"""The event log in SQLite. Reads run on threads of their own, so the event loop goes on beside them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import accumulate
from operator import attrgetter
from typing import Any, Final, Protocol, TypeVar

import orjson
from sqlalchemy import ColumnElement, Select, bindparam, func, select, union_all

from rmos.clock import Timestamp, from_timestamp, to_timestamp
from rmos.domain.events import Event
from rmos.domain.filters import BIT, EVERYTHING, EventFilter
from rmos.errors import ExpiredError
from rmos.eventlog.base import CLOCK_SLACK, PAGE_BYTES, PAGE_EVENTS, LastEvents, LogHead, StatePage
from rmos.eventlog.schema import events, log_head
from rmos.eventlog.sqlite_statement import PackedSelect, Statement, read_transaction
from rmos.eventlog.state import read_state

T = TypeVar("T")

_SCAN_EVENTS: Final = 5000
"""Events looked at in one go for a channel or type: about 5 ms, so that no read transaction holds the WAL up."""


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
    events.c.cause,
    events.c.offset,
)
_TIME: Final = Statement(select(events.c.timestamp).where(events.c.offset == bindparam("offset")))
_FIRST_SINCE: Final = Statement(
    select(events.c.offset)
    .where(events.c.offset > bindparam("after"), events.c.timestamp >= bindparam("time"))
    .order_by(events.c.offset)
    .limit(1)
)
_NEXT: Final = _EVENT.where(events.c.offset > bindparam("after")).order_by(events.c.offset).limit(bindparam("limit"))
_READ: Final = PackedSelect(_NEXT, document="data")
_THESE: Final = events.c.offset.in_(select(func.json_each(bindparam("offsets")).table_valued("value").c.value))
_BY_OFFSET: Final = PackedSelect(_EVENT.where(_THESE), document="data")
_SIZES: Final = PackedSelect(select(events.c.offset, func.length(events.c.data).label("size")).where(_THESE))
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

    async def read_matching(
        self,
        after: int,
        wanted: EventFilter,
        *,
        limit: int,
        upto: int | None = None,
        max_bytes: int | None = None,
    ) -> list[Event]:
        """As `read`, but only events that match."""
        found = await self._find(wanted, after, limit, newest_first=False, upto=upto)
        return await self._others.run(lambda connection: _read_these(connection, found, max_bytes))

    async def last_matching(self, count: int, wanted: EventFilter) -> LastEvents:
        """Where the `count` newest matching events are."""
        head = await self.head()
        found = await self._find(wanted, head.offset + 1, count, newest_first=True)
        return LastEvents(found[-1] - 1 if found else head.offset, len(found))

    async def offset_before(self, time: Timestamp) -> int:
        """The offset after which the first event comes that is not older than this time; the head if there is none."""
        return await self._others.run(lambda connection: _offset_before(connection, time))

    async def time_of(self, offset: int) -> Timestamp | None:
        """When this event happened; None when the log does not hold it."""
        return await self._others.run(lambda connection: _time_of(connection, offset))

    async def state(
        self, at: int, wanted: EventFilter, *, after: str = "", limit: int, max_bytes: int = PAGE_BYTES
    ) -> StatePage:
        """The entities with keys above `after`, as they were at offset `at`."""
        return await self._others.run(
            lambda connection: _state(connection, at, wanted, after=after, limit=limit, max_bytes=max_bytes)
        )

    async def _find(
        self, wanted: EventFilter, start: int, count: int, *, newest_first: bool, upto: int | None = None
    ) -> list[int]:
        """Offsets of the first `count` matching events beyond `start`; for channels or types in several short reads."""
        mask = wanted.reach
        scan = partial(_scan, mask=mask, by_channel=wanted.is_by_channel, newest_first=newest_first)
        chunk = count if wanted.is_plain else _SCAN_EVENTS
        found: list[int] = []
        while mask and len(found) < count:
            seen = await self._others.run(partial(scan, start=start, limit=chunk))
            found += [offset for offset, type_, channels in seen if wanted.matches(type_, _channels(channels))]
            if len(seen) < chunk or (upto is not None and seen[-1][0] >= upto):
                break
            start = seen[-1][0]
        return [offset for offset in found[:count] if upto is None or offset <= upto]


def fitting(connection: sqlite3.Connection, *, after: int, limit: int, max_bytes: int) -> int:
    """How many of the next events a page takes. Their size is looked at first: rarely do fewer than `limit` fit."""
    ((size,),) = _SIZE.run(connection, after=after, limit=limit).fetchall()
    if (size or 0) <= max_bytes:
        return limit
    ((count,),) = _FITTING.run(connection, after=after, limit=limit, max_bytes=max_bytes).fetchall()
    return int(count)


def _read(connection: sqlite3.Connection, after: int, limit: int, max_bytes: int) -> list[Event]:
    limit = fitting(connection, after=after, limit=limit, max_bytes=max_bytes)
    return _events(_READ.with_documents(connection, after=after, limit=limit))


def _read_these(connection: sqlite3.Connection, offsets: Sequence[int], max_bytes: int | None) -> list[Event]:
    """The events with these offsets, as many as fit."""
    if max_bytes is not None:
        given = orjson.dumps(offsets).decode()
        sizes: dict[int, int] = dict(_SIZES.rows(connection, offsets=given))
        before = accumulate((sizes.get(offset, 0) for offset in offsets), initial=0)
        offsets = [offset for offset, size in zip(offsets, before, strict=False) if size <= max_bytes]
    return _events(_BY_OFFSET.with_documents(connection, offsets=orjson.dumps(offsets).decode()))


def _time_of(connection: sqlite3.Connection, offset: int) -> Timestamp | None:
    found = _TIME.run(connection, offset=offset).fetchall()
    return str(found[0][0]) if found else None


def _state(
    connection: sqlite3.Connection, at: int, wanted: EventFilter, *, after: str, limit: int, max_bytes: int
) -> StatePage:
    with read_transaction(connection):
        oldest = read_head(connection).oldest
        if at < oldest - 1:
            raise ExpiredError(f"the state at {at} is no longer kept; the oldest that can be told is at {oldest - 1}")
        return read_state(connection, at, wanted, after=after, limit=limit, max_bytes=max_bytes)


def _offset_before(connection: sqlite3.Connection, time: Timestamp) -> int:
    """First by halving, for a time so much earlier that no clock can have been before it and after `time` again."""
    earlier = _earlier(time)
    with read_transaction(connection):
        head = read_head(connection)
        before, after = head.oldest - 1, head.offset + 1
        while after - before > 1:
            middle = (before + after) // 2
            if (_time_of(connection, middle) or "") < earlier:
                before = middle
            else:
                after = middle
        found = _FIRST_SINCE.run(connection, after=before, time=time).fetchall()
    return int(found[0][0]) - 1 if found else head.offset


def _earlier(time: Timestamp) -> Timestamp:
    try:
        return to_timestamp(from_timestamp(time) - CLOCK_SLACK)
    except OverflowError:  # within an hour of the year 1: before every event in any case
        return time


def _scan(
    connection: sqlite3.Connection, *, mask: int, by_channel: bool, newest_first: bool, start: int, limit: int
) -> list[list[Any]]:  # Any: offset, type and channels
    """Offset, type and channels of the next events in these categories, without their data."""
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
            select(offset, events.c.type, events.c.channels)
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


@lru_cache(maxsize=4096)
def _channels(text: str | None) -> tuple[str, ...]:
    """Many events are heard on the same few."""
    return tuple(orjson.loads(text)) if text else ()


def _events(rows: Iterable[tuple[list[Any], bytes]]) -> list[Event]:  # Any: as the columns are
    """In order of their offsets."""
    found = [
        Event(type_, data, timestamp, key, version, _channels(channels), actor, request_id, cause, offset)
        for (type_, timestamp, key, version, channels, actor, request_id, cause, offset), data in rows
    ]
    found.sort(key=attrgetter("offset"))
    return found
