"""The shop as it was: every entity at one offset of the log, page by page.

Every event carries the whole document, so an entity at offset n is its newest event with offset <= n; it is absent
when that is its deletion or when there is none. What has left the log is in `retired`, which keeps the newest of it
for each entity: exact for every n from the offset before the oldest event on.

Rule: a page looks at a bounded number of entities and takes a bounded number of bytes, whatever the shop holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Table, bindparam, func, literal, select, union_all

from rmos.domain.entities import KINDS
from rmos.domain.events import channels_of
from rmos.domain.filters import BIT, EventFilter
from rmos.eventlog.base import EntityThen, StatePage
from rmos.eventlog.schema import events, retired
from rmos.eventlog.sqlite_statement import PackedSelect

SCAN_KEYS: Final = 2000
"""Entities looked at for one page: 30 to 50 ms, so that no read transaction holds the WAL up."""

_CATEGORIES: Final = sorted(kind.category for kind in KINDS)
"""In the order of their keys."""


def _next_key(after: ColumnElement[str]) -> ColumnElement[str]:
    """The least key above this one and below `end`."""
    least = [
        select(func.min(table.c.key).label("key")).where(table.c.key > after, table.c.key < bindparam("end"))
        for table in (events, retired)
    ]
    outer = getattr(after, "table", None)
    both = union_all(*(part if outer is None else part.correlate(outer) for part in least)).subquery()
    return select(func.min(both.c.key)).scalar_subquery()


def _scan_statement() -> PackedSelect:
    """The keys after one, and where the newest event of each is found.

    From key to key by the index: a GROUP BY would read every event of a job that has thousands. Events without a
    version were made by programs about the entity, and are no state of it.
    """
    begin = select(_next_key(bindparam("after")).label("key"), literal(1).label("number")).cte("keys", recursive=True)
    keys = begin.union_all(
        select(_next_key(begin.c.key), begin.c.number + 1).where(
            begin.c.key.is_not(None), begin.c.number < bindparam("limit")
        )
    )
    newest = (
        select(events.c.offset)
        .where(events.c.key == keys.c.key, events.c.offset <= bindparam("at"), events.c.version.is_not(None))
        .order_by(events.c.offset.desc())
        .limit(1)
        .correlate(keys)
        .scalar_subquery()
    )
    found = select(keys.c.key, newest.label("offset")).where(keys.c.key.is_not(None)).subquery()
    return PackedSelect(
        select(
            found.c.key,
            found.c.offset,
            func.coalesce(events.c.type, retired.c.type).label("type"),
            func.coalesce(events.c.channels, retired.c.channels).label("channels"),
            func.length(func.coalesce(events.c.data, retired.c.data)).label("size"),
        )
        .select_from(found)
        .outerjoin(events, events.c.offset == found.c.offset)
        .outerjoin(retired, (retired.c.key == found.c.key) & found.c.offset.is_(None))
    )


def _documents_statement(table: Table, column: ColumnElement[Any]) -> PackedSelect:  # Any: keys or offsets
    given = select(func.json_each(bindparam("given")).table_valued("value").c.value)
    return PackedSelect(
        select(table.c.key, table.c.version, table.c.offset, table.c.timestamp, table.c.data).where(column.in_(given)),
        document="data",
    )


_SCAN: Final = _scan_statement()
_KEPT: Final = _documents_statement(events, events.c.offset)
_RETIRED: Final = _documents_statement(retired, retired.c.key)


class _Newest(NamedTuple):
    """The newest event of a key at the offset that was asked for.

    Attributes:
        offset: Where in the log; None when it has left the log, or there is none.
        type: None when there is none; then so are the rest.
    """

    key: str
    offset: int | None
    type: str | None
    channels: str | None
    size: int | None


def read_state(
    connection: sqlite3.Connection, at: int, wanted: EventFilter, *, after: str, limit: int, max_bytes: int
) -> StatePage:
    """One page (`eventlog.base.EventLog.state`), inside a read transaction of the caller."""
    wanted = replace(wanted, types=None)
    taken: list[_Newest] = []
    size = scanned = 0
    reached = after
    for newest in _scan(connection, at, wanted, after, step=limit + 1):
        if _is_there(newest, wanted):
            size += newest.size or 0
            if taken and (len(taken) == limit or size > max_bytes):
                return StatePage(_entities(connection, taken, wanted), reached)
            taken.append(newest)
        reached = newest.key
        scanned += 1
    return StatePage(_entities(connection, taken, wanted), reached if scanned == SCAN_KEYS else None)


def _scan(connection: sqlite3.Connection, at: int, wanted: EventFilter, after: str, step: int) -> Iterator[_Newest]:
    """The next `SCAN_KEYS` keys, fewer where there are fewer; `step` are read at a time."""
    left = SCAN_KEYS
    for category in _CATEGORIES:
        first, end = f"{category}/", f"{category}0"  # "0" follows "/"
        if not BIT[category] & wanted.mask or after >= end:
            continue
        place, is_more = max(after, first), True
        while is_more and left:
            asked = min(step, left)
            rows = _SCAN.rows(connection, at=at, after=place, end=end, limit=asked)
            for row in sorted(rows, key=itemgetter(0)):
                place = row[0]
                yield _Newest(*row)
            left -= len(rows)
            is_more = len(rows) == asked


def _is_there(newest: _Newest, wanted: EventFilter) -> bool:
    """Whether the entity existed, and may be asked for: an event is heard wherever the entity then was."""
    if newest.type is None or newest.type.endswith(":deleted"):
        return False
    if newest.offset is None:
        return True  # rows that are older than `retired` do not say where they were heard; the document does
    return wanted.matches(newest.type, orjson.loads(newest.channels) if newest.channels else ())


def _entities(connection: sqlite3.Connection, taken: Sequence[_Newest], wanted: EventFilter) -> list[EntityThen]:
    """With their documents, in order of their keys. One that a change has moved elsewhere is no longer asked for."""
    offsets = [newest.offset for newest in taken if newest.offset is not None]
    keys = [newest.key for newest in taken if newest.offset is None]
    rows = [
        row
        for statement, given in ((_KEPT, offsets), (_RETIRED, keys))
        if given
        for row in statement.with_documents(connection, given=orjson.dumps(given).decode())
    ]
    entities = [EntityThen(key, version, offset, timestamp, data) for (key, version, offset, timestamp), data in rows]
    if wanted.is_by_channel:
        entities = [entity for entity in entities if _is_heard(entity, wanted)]
    return sorted(entities, key=attrgetter("key"))


def _is_heard(entity: EntityThen, wanted: EventFilter) -> bool:
    return wanted.matches(f"{entity.category}:updated", channels_of(orjson.loads(entity.data)))
